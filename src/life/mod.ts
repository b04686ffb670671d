/** Who is alive, and what is left of who is not. */

export { DescriptorTable, type TableCloseOptions } from "./descriptor_table.ts";
