# Two stages, so that npm and its cache stay out of the image.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The development tools go first: `npm ci` would want their builds for every platform in the lock file.
RUN npm pkg delete devDependencies && npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
LABEL org.opencontainers.image.title=bulkhead
LABEL org.opencontainers.image.version=0.1.0
LABEL org.opencontainers.image.licenses=Apache-2.0
# The root file system may be read-only: /tmp is written to, and BULKHEAD_SPOOL, which is a volume.
ENV NODE_ENV=production
ENV NODE_COMPILE_CACHE=/tmp/node-compile-cache
ENV PATH=/app/bin:$PATH
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
COPY runbooks ./runbooks
# For `kubectl exec deploy/bulkhead -- bulkhead status`.
RUN chmod +x src/cli.ts && mkdir bin && ln -s ../src/cli.ts bin/bulkhead
# `node` of the base image, as a number: runAsNonRoot cannot check a name.
USER 1000:1000
EXPOSE 8080
ENTRYPOINT ["node", "src/main.ts"]
