/** Imports the library and uses nothing of it. */
import "../../mod.ts";
