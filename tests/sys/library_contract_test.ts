/** The functions of the table by plain FFI. */

import "../support/loaded.ts";
import { libraryContract } from "../contract/library_contract.ts";
import { bind } from "../../src/sys/load.ts";
import { SYMBOLS } from "../../src/sys/symbols.ts";

const library = bind(SYMBOLS);

libraryContract("plain FFI", () => library);
