/** A server that speaks S3, in this process, on a folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import type { S3Settings } from '../../src/blobs/s3.ts'

export interface TestS3 extends S3Settings {
  /** As settings of a server. */
  env: Record<string, string>
  close(): Promise<void>
}

/** It knows these alone. */
const KEY = 'S3RVER'

export async function startS3(): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), 'microchatter-s3-'))
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: 'chat-files' }],
  })
  const { port } = await server.run()
  const url = `http://127.0.0.1:${port}/chat-files`
  return {
    url,
    region: 'us-east-1',
    accessKeyId: KEY,
    secretAccessKey: KEY,
    env: {
      MICROCHATTER_S3_URL: url,
      MICROCHATTER_S3_ACCESS_KEY_ID: KEY,
      MICROCHATTER_S3_SECRET_ACCESS_KEY: KEY,
    },
    async close() {
      await server.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
