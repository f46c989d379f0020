/** Where the bytes of files are kept: a folder (disk.ts) or an object store (s3.ts). */
import type { Readable } from 'node:stream'

/** Of an upload, as it has to be remembered between two requests. */
export interface Progress {
  /** Bytes that are kept: the next ones go behind them. */
  received: number
  /** What the store itself has to know; JSON. */
  parts?: unknown
}

export interface Upload {
  key: string
  /** Bytes of all of it. */
  size: number
  progress: Progress
}

/** Bytes `start` to `end`, both included. */
export interface Range {
  start: number
  end: number
}

/**
 * A key is made of lower-case letters, digits and `-`. Everything may be done again: what is there
 * already is written over, and removing what is not there is no error.
 */
export interface Blobs {
  /**
   * Adds bytes behind those that are kept. `save` is told now and then, and at the end, up to where they
   * are kept for good; also where the bytes break off, which then is the error.
   * @throws StorageFull, StorageAway
   */
  append(
    upload: Upload,
    bytes: AsyncIterable<Uint8Array>,
    save: (progress: Progress) => Promise<void>,
  ): Promise<void>
  /** Makes one blob of all that was appended. */
  complete(upload: Upload): Promise<void>
  put(key: string, bytes: Uint8Array, type: string): Promise<void>
  /** @throws NoSuchBlob */
  get(key: string, range?: Range): Promise<Readable>
  remove(key: string): Promise<void>
  /** Ends an upload that was not completed. */
  abandon(upload: Upload): Promise<void>
  /** All that are there, with when they were written. */
  list(): AsyncIterable<{ key: string; at: Date }>
}

export class NoSuchBlob extends Error {}
export class StorageFull extends Error {}
/** It does not answer, or refuses what it should not. */
export class StorageAway extends Error {}
