// @ts-check

/**
 * Whether the server answers. *returns* counts how often it came back: whoever shows data reads it
 * again when that number changes.
 *
 * @typedef {{ isReachable: boolean, returns: number }} Connection
 */

/** @type {Connection} */
export const CONNECTED = { isReachable: true, returns: 0 };

/** @param {Connection} connection @param {"reached" | "lost"} event @returns {Connection} */
export function reduceConnection(connection, event) {
  if (event === "lost") return { ...connection, isReachable: false };
  if (connection.isReachable) return connection;
  return { isReachable: true, returns: connection.returns + 1 };
}
