import { equal, ok } from "node:assert/strict";
import { Type, Unreachable } from "../../../stack/wire/icmpv4.ts";
import { codeName, typeName } from "../../../stack/wire/icmpv4-names.ts";

Deno.test("icmpv4 names: every assigned type has a name of its own", () => {
  const names = Object.values(Type).map(typeName);
  equal(new Set(names).size, names.length);
  ok(names.every((name) => !name.startsWith("type ")));
  equal(typeName(Type.EchoRequest), "echo request");
  equal(typeName(200), "type 200");
});

Deno.test("icmpv4 names: every code of destination unreachable has a name (RFC 792, RFC 1122, RFC 1812)", () => {
  const names = Object.values(Unreachable).map((code) => codeName(Type.DestinationUnreachable, code));
  equal(new Set(names).size, 16);
  equal(names[Unreachable.Port], "port unreachable");
  equal(names[Unreachable.AdministrativelyProhibited], "administratively prohibited");
  equal(codeName(Type.DestinationUnreachable, 16), "code 16");
});

Deno.test("icmpv4 names: code 0 of a type without codes is not worth a word, another is", () => {
  equal(codeName(Type.EchoRequest, 0), "");
  equal(codeName(Type.EchoRequest, 1), "code 1");
  equal(codeName(Type.TimeExceeded, 0), "hop limit");
});
