import { createMemoryLedger } from "../../src/flows/memory-ledger.ts";
import { describeLedger } from "../contract/flow-ledger.ts";
import { noon } from "./flow.ts";

describeLedger("What a process keeps in memory", async () => createMemoryLedger(), noon);
