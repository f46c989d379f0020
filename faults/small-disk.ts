/** A file system of its own that is soon full: a tmpfs, which only root may mount. */
import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const TRIES = 20
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
      // PostgreSQL writes meanwhile: what was free may be taken.
      for (let tries = 1; ; tries += 1) {
        const { bavail, bsize } = statfsSync(folder)
        if (bavail === 0) return
        try {
          const length = String(Math.max(1, Math.floor(bavail / tries)) * bsize)
          const options = ['-l', length, `${filling}-${tries}`]
          execFileSync('fallocate', options, { stdio: 'ignore' })
        } catch (error) {
          if (tries >= TRIES) throw error
        }
      }
    },
    free() {
      for (let tries = 1; tries <= TRIES; tries += 1) rmSync(`${filling}-${tries}`, { force: true })
    },
    async close() {
      process.off('exit', unmount)
      unmount()
    },
  }
}
