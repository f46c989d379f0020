/**
 * The body of an answer from elsewhere. Of one with more bytes than these `cut` gives the first of them.
 * @throws Error where it has more, unless it may be cut
 */
export async function readCapped(
  body: AsyncIterable<Uint8Array> | null,
  maxBytes: number,
  { cut = false } = {},
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body ?? []) {
    parts.push(part)
    bytes += part.length
    // Leaving the loop cancels the rest of the body.
    if (bytes > maxBytes) {
      if (!cut) throw new Error(`More than ${maxBytes} bytes`)
      break
    }
  }
  return Buffer.concat(parts).subarray(0, maxBytes)
}
