/** Times of the database, as texts and as dates. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isoOf } from '../src/store/times.ts'
import { engines, freshDatabase, skipOf } from './support/databases.ts'

const TIMES = {
  '2026-11-26T01:27:31Z': '2026-11-26T01:27:31.000Z',
  '2026-11-26T01:27:31.5Z': '2026-11-26T01:27:31.500Z',
  '2026-11-26T01:27:31.57Z': '2026-11-26T01:27:31.570Z',
  '2026-11-26T01:27:31.007999Z': '2026-11-26T01:27:31.007Z',
  '2026-11-26T03:27:31.123456+02': '2026-11-26T01:27:31.123Z',
  '0999-02-28T23:59:59.999999Z': '0999-02-28T23:59:59.999Z',
}

for (const engine of engines)
  describe(`times, ${engine}`, { skip: skipOf(engine) }, () => {
    test('a text and a Date of the same time are the same on the wire', async () => {
      const { db, drop } = await freshDatabase(engine)
      for (const [written, wire] of Object.entries(TIMES)) {
        const [row] = await db.query<{ text: string; date: Date }>(
          'SELECT $1::timestamptz::text AS text, $1::timestamptz AS date',
          [written],
        )
        assert(row)
        assert.equal(isoOf(row.text), wire)
        assert.equal(row.date.toISOString(), wire)
      }
      await drop()
    })

    test('what is no time of the calendar is read as the driver reads it', async () => {
      const { db, drop } = await freshDatabase(engine)
      const [row] = await db.query<{ end: number; old: Date }>(
        `SELECT 'infinity'::timestamptz AS end, '0044-03-15 00:00:00+00 BC'::timestamptz AS old`,
      )
      assert.equal(row?.end, Number.POSITIVE_INFINITY)
      assert.equal(row?.old.getUTCFullYear(), -43)
      await drop()
    })
  })
