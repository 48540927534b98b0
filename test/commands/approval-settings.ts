/** How long others may approve, and how long what nobody approved stays open, as by default. */
export const approvalSettings = { approvalMs: 900_000, breakGlassMs: 900_000, rollbackApprovals: 0 };
