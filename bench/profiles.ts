/** What V8 tells of its time and its allocations, as one kind of tree. */
export interface CallFrame {
  functionName: string
  url: string
  lineNumber: number
}
export interface CpuProfile {
  nodes: { id: number; callFrame: CallFrame; children?: number[] }[]
  samples: number[]
  /** In microseconds, one for each sample. */
  timeDeltas: number[]
}
export interface HeapProfile {
  head: HeapNode
}
interface HeapNode {
  callFrame: CallFrame
  selfSize: number
  children: HeapNode[]
}

export interface Frame {
  name: string
  /** Milliseconds or kB of this frame alone. */
  self: number
  /** Of it and all that it called. */
  value: number
  children: Frame[]
}

/** In milliseconds. Samples are of wall time, idle ones are left out. */
export function timeTree({ nodes, samples, timeDeltas }: CpuProfile): Frame {
  const self = new Map<number, number>()
  for (const [index, id] of samples.entries())
    self.set(id, (self.get(id) ?? 0) + (timeDeltas[index] ?? 0) / 1_000)
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const toFrame = (id: number): Frame[] => {
    const node = byId.get(id)
    if (!node || node.callFrame.functionName === '(idle)') return []
    return [frameOf(node.callFrame, self.get(id) ?? 0, (node.children ?? []).flatMap(toFrame))]
  }
  return toFrame(nodes[0]?.id ?? 0)[0] ?? frameOf(NOTHING, 0, [])
}

/** In kB. */
export function heapTree({ head }: HeapProfile): Frame {
  const toFrame = ({ callFrame, selfSize, children }: HeapNode): Frame =>
    frameOf(callFrame, selfSize / 1_024, children.map(toFrame))
  return toFrame(head)
}

const NOTHING: CallFrame = { functionName: '(root)', url: '', lineNumber: -1 }

function frameOf(call: CallFrame, self: number, children: Frame[]): Frame {
  const value = children.reduce((sum, child) => sum + child.value, self)
  return { name: nameOf(call), self, value, children }
}

/** 'send  ws/lib/sender.js:120'. */
function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName || '(anonymous)'
  if (url === '') return name
  const file = url.replace(/^.*\/(node_modules|packages)\//, '').replace(/-[\w-]{8}\.js$/, '.js')
  return `${name}  ${file}:${lineNumber + 1}`
}

/** The functions with the most of their own, wherever they were called from. */
export function heaviest(tree: Frame, count: number): { name: string; self: number }[] {
  const totals = new Map<string, number>()
  const add = ({ name, self, children }: Frame) => {
    totals.set(name, (totals.get(name) ?? 0) + self)
    for (const child of children) add(child)
  }
  add(tree)
  const all = [...totals].map(([name, self]) => ({ name, self }))
  return all.sort((a, b) => b.self - a.self).slice(0, count)
}
