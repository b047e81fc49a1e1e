/** The version of the program and of the package: the one in deno.json. */
export const VERSION = "0.1.0";
