/**
 * Making sure that objects of which there are many stay small.
 *
 * @module
 */

/** The engine watches the first seven. */
const ENOUGH = 8;

/**
 * Has the engine learn at once how large the objects of a class are. V8 decides it when it has seen the first few be
 * made, by what those that are still there look like. Had they come and gone by then, which connections do, it would
 * take the class for one without fields, and keep every later object as a hash table: slow, and five times as large.
 */
export function settle(make: () => object): void {
  const kept: object[] = [];
  while (kept.length < ENOUGH) kept.push(make());
}
