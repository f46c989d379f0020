/** A file system of its own that is soon full: a tmpfs, which only root may mount. */
import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SIZE = '160m'

export interface SmallDisk {
  folder: string
  /** Nothing is left. */
  fill(): void
  free(): void
  close(): Promise<void>
}

export async function openSmallDisk(): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'microchatter-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0777`, 'microchatter', folder])
  let isMounted = true
  const unmount = () => {
    if (!isMounted) return
    isMounted = false
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', unmount)
  const filling = join(folder, 'filling')
  return {
    folder,
    fill() {
      const { bavail, bsize } = statfsSync(folder)
      execFileSync('fallocate', ['-l', String(bavail * bsize), filling])
    },
    free() {
      rmSync(filling, { force: true })
    },
    async close() {
      process.off('exit', unmount)
      unmount()
    },
  }
}
