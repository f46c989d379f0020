/**
 * Servers that are broken on purpose, one defence each: where the checker stays green with them, its
 * zeros mean nothing. The product has no switch for this: its source is changed while it is built.
 */
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'tsdown'

export interface Broken {
  name: string
  /** What it does wrong. */
  title: string
  changes: readonly Change[]
  /** For its database, as the superuser. */
  sql?: string
  /** The faults that must show it, and the rule that it is against. */
  faults: readonly string[]
  rule: string
}

interface Change {
  /** Below packages/server/src. */
  file: string
  /** It stands there once. */
  find: string
  put: string
}

const SERVER = fileURLToPath(new URL('../packages/server/', import.meta.url))

export const BROKEN: readonly Broken[] = [
  {
    name: 'early-ack',
    title: 'acknowledges before the commit',
    changes: [
      {
        file: 'domain/writer.ts',
        find: 'numbered = await insertMessages(this.#db, groups.map(toBatch))',
        put: `numbered = await new Promise((resolve, reject) => {
          this.#db.transaction(async (tx) => {
            resolve(await insertMessages(tx, groups.map(toBatch)))
            await new Promise((done) => setTimeout(done, 30))
          }).catch(reject)
        })`,
      },
    ],
    faults: ['F1', 'F2a'],
    rule: 'I1',
  },
  {
    name: 'no-dedup',
    title: 'takes a repeated clientId for a new message',
    changes: [
      {
        file: 'domain/batch.ts',
        find: 'return first === undefined\n',
        put: 'return true\n',
      },
    ],
    sql: 'DROP INDEX messages_once',
    faults: ['F10a', 'F17'],
    rule: 'I3',
  },
  {
    name: 'sequence',
    title: 'takes seq from a sequence of SQL',
    changes: [
      {
        file: 'store/messages.ts',
        find: 'SET last_seq = chats.last_seq + g.n,',
        put: `SET last_seq = (SELECT max(s.next) FROM (
          SELECT nextval(('seq_' || replace(chats.id::text, '-', '_'))::regclass) AS next
          FROM generate_series(1, g.n)) s),`,
      },
    ],
    sql: `CREATE FUNCTION make_sequence() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE format('CREATE SEQUENCE %I', 'seq_' || replace(NEW.id::text, '-', '_'));
        RETURN NULL;
      END $$;
      CREATE TRIGGER make_sequence AFTER INSERT ON chats FOR EACH ROW
      EXECUTE FUNCTION make_sequence()`,
    faults: ['F10a', 'F17'],
    rule: 'I4',
  },
  {
    name: 'no-heads',
    title: 'does not compare the heads of chats',
    changes: [
      {
        file: 'domain/heads.ts',
        find: 'async #work(core: Core): Promise<void> {',
        put: 'async #work(core: Core): Promise<void> {\n    return',
      },
    ],
    faults: ['F10c'],
    rule: 'I8',
  },
  {
    name: 'late-block',
    title: "checks blocks outside of the chat's lock",
    changes: [
      {
        file: 'store/messages.ts',
        find: 'chats.rights_rev = g.rights_rev',
        put: 'g.rights_rev IS NOT NULL',
      },
      {
        file: 'domain/writer.ts',
        find: 'const groups = toGroups(jobs, again)',
        // The race is there without it, and seldom seen.
        put: `const groups = toGroups(jobs, again)
    await new Promise((done) => setTimeout(done, 30))`,
      },
    ],
    faults: ['F20a'],
    rule: 'I12',
  },
  {
    name: 'early-change',
    title: 'acknowledges changes before their commit',
    changes: [
      {
        file: 'domain/changing.ts',
        find: 'core.db.transaction(work)',
        put: `new Promise((resolve, reject) => {
          core.db.transaction(async (tx) => {
            resolve(await work(tx))
            await new Promise((done) => setTimeout(done, 60))
          }).catch(reject)
        })`,
      },
    ],
    faults: ['F1', 'F2a'],
    rule: 'I7',
  },
  {
    name: 'stale-change',
    title: "numbers changes outside of the chat's lock",
    changes: [
      {
        file: 'domain/changes.ts',
        // Two changes of a chat seldom come within less.
        find: 'const touched = (await touchChats(tx, [chatId], 1)).get(chatId)',
        put: `const [before] = await tx.query('SELECT changes FROM chats WHERE id = $1', [chatId])
  await new Promise((done) => setTimeout(done, 100))
  const touched = (await touchChats(tx, [chatId], 1)).get(chatId)`,
      },
      {
        file: 'domain/changes.ts',
        find: 'const { changes, rev } = touched',
        put: 'const changes = before.changes + 1\n  const { rev } = touched',
      },
    ],
    faults: ['F10a', 'F17'],
    rule: 'I13',
  },
]

/** @returns the folder with the broken server; `remove` takes it away. */
export async function buildBroken({ name, changes }: Broken) {
  // Beside dist, as the code finds migrations/ and config/ one folder up.
  const outDir = `${SERVER}dist-${name}`
  const missing = new Set(changes)
  await build({
    cwd: SERVER,
    outDir,
    dts: false,
    sourcemap: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'broken-on-purpose',
        transform(code: string, id: string) {
          let changed = code
          for (const change of changes) {
            if (!id.endsWith(`/src/${change.file}`)) continue
            if (changed.split(change.find).length !== 2)
              throw new Error(`${change.file} does not have this once: ${change.find}`)
            changed = changed.replace(change.find, () => change.put)
            missing.delete(change)
          }
          return changed === code ? undefined : { code: changed }
        },
      },
    ],
  })
  if (missing.size > 0) throw new Error(`${name}: a change found no file`)
  return { dist: outDir, remove: () => rmSync(outDir, { recursive: true, force: true }) }
}
