# Two stages, so that npm and its cache stay out of the image.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The development tools go first: `npm ci` would want their builds for every platform in the lock file.
RUN npm pkg delete devDependencies && npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
# The root file system may be read-only: /tmp is the one place that is written to.
ENV NODE_ENV=production
ENV NODE_COMPILE_CACHE=/tmp/node-compile-cache
ENV PATH=/app/bin:$PATH
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
# For `kubectl exec deploy/bulkhead -- bulkhead status`.
RUN chmod +x src/cli.ts && mkdir bin && ln -s ../src/cli.ts bin/bulkhead
# `node` of the base image, as a number: runAsNonRoot cannot check a name.
USER 1000:1000
EXPOSE 8080
ENTRYPOINT ["node", "src/main.ts"]
