/**
 * The `pg` package, typed.
 *
 * @module
 */
// @ts-types="@types/pg"
import pg from "pg";

/** A client of PostgreSQL. */
export const Client = pg.Client;
