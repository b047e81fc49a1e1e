/** Run with --deny-ffi --deny-run: prints what a user is told who forgot the permissions. */
import { openTap } from "../../../nic/linux/tap.ts";
import { namespaceSupport } from "../../../nic/linux/netns.ts";

try {
  openTap("tap0");
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
}
console.log((await namespaceSupport()).reason);
