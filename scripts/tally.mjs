/** A reporter of node:test that writes the totals, and what was skipped, as JSON at the end. */
const TOTAL = /^(tests|pass|fail|cancelled|skipped|todo) (\d+)$/

export default async function* tally(events) {
  const totals = {}
  const skipped = []
  for await (const { type, data } of events) {
    const found = type === 'test:diagnostic' && data.nesting === 0 && TOTAL.exec(data.message)
    if (found) totals[found[1]] = Number(found[2])
    if (type === 'test:pass' && data.skip !== undefined) {
      skipped.push({ name: data.name, reason: data.skip === true ? '' : data.skip })
    }
  }
  yield JSON.stringify({ totals, skipped })
}
