/** Which Node is new enough. */

/** The oldest one that the package supports, as its package.json says under `engines`. */
export const OLDEST_NODE = "20.19";

/** Whether a version, as `node --version` prints it, is that one or a newer one. */
export function isSupportedNode(version: string): boolean {
  const [major, minor] = numbers(version);
  const [oldestMajor, oldestMinor] = numbers(OLDEST_NODE);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

function numbers(version: string): [number, number] {
  const [major = 0, minor = 0] = version.trim().replace(/^v/, "").split(".").map(Number);
  return [major, minor];
}
