/**
 * Guard mode: finds packet references that a handler keeps too long.
 *
 * A packet is one object that lives as long as its place in the tree, and its states are interfaces. The compiler
 * stops a wrong step; it cannot stop a step through an old reference. In guard mode every handler gets a fresh
 * wrapper, every step (prepare, reinit, deinit, intoIn, send) revokes the wrapper it was called through, and the
 * last one is revoked when the handler returns. It costs what proxies cost, so it is for tests.
 *
 * @module
 */

let on = false;

/** Turns guard mode on or off for trees that are built from now on. */
export function setGuard(enabled: boolean): void {
  on = enabled;
}

/** Whether trees that are built now are guarded. */
export function guarding(): boolean {
  return on;
}

const STEPS: ReadonlySet<PropertyKey> = new Set([
  "prepare",
  "reinit",
  "deinit",
  "intoIn",
  "send",
  "answer",
  "echo",
]);

class Lease {
  #revoke: () => void = () => {};

  wrap<P extends object>(target: P): P {
    const { proxy, revoke } = Proxy.revocable(target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(object, key, object);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => this.#done(object, key, Reflect.apply(value, object, args));
      },
      set: (object, key, value) => Reflect.set(object, key, value, object),
    });
    this.#revoke = revoke;
    return proxy;
  }

  #done(object: object, key: PropertyKey, result: unknown): unknown {
    if (!STEPS.has(key)) return result;
    // A refused step leaves the packet as it was, so the same reference goes on; what was sent is gone anyhow.
    if (typeof result === "number" && result !== 0 && key !== "send") return result;
    this.end();
    return result === object ? this.wrap(object) : result;
  }

  end(): void {
    this.#revoke();
  }
}

/** The handler, lending each packet only until it returns. */
export function guard<P extends object>(handler: (packet: P) => void): (packet: P) => void {
  return (packet) => {
    const lease = new Lease();
    try {
      handler(lease.wrap(packet));
    } finally {
      lease.end();
    }
  };
}
