/**
 * The `ws` package, typed.
 *
 * @module
 */
// @ts-types="@types/ws"
export { type ClientOptions, WebSocket, WebSocketServer } from "ws";
