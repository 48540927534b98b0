// Loaded into a bot before anything else, so that what it holds can be told from what it has not cleared away yet.
process.on("SIGUSR2", () => globalThis.gc());
