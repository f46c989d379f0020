import type { ClientStorage } from './storage.ts'

const PENDING = 'pending'
const KEPT = 'kept'
const ONLY = 0

/**
 * In the browser's IndexedDB, one database for each user. Where the browser gives none, as in some private
 * windows, its calls reject, and the client goes on without. The tabs of one user share it, and one connection.
 */
export function idbStorage(username: string): ClientStorage {
  const name = `microchatter ${username}`
  let opened: Promise<IDBDatabase> | undefined
  const open = () =>
    new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(name, 1)
      request.onupgradeneeded = () => {
        request.result.createObjectStore(PENDING, { keyPath: 'clientId' })
        request.result.createObjectStore(KEPT)
      }
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })

  async function work<T>(kind: string, ask: (store: IDBObjectStore) => IDBRequest): Promise<T> {
    const transaction = (await (opened ??= open())).transaction(kind, 'readwrite')
    const request = ask(transaction.objectStore(kind))
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result as T)
      transaction.onerror = transaction.onabort = () => reject(transaction.error)
    })
  }

  return {
    name,
    pending: () => work(PENDING, (store) => store.getAll()),
    put: (pending) => work(PENDING, (store) => store.put(pending)),
    remove: (clientId) => work(PENDING, (store) => store.delete(clientId)),
    kept: () => work(KEPT, (store) => store.get(ONLY)),
    keep: (kept) => work(KEPT, (store) => store.put(kept, ONLY)),
    async clear() {
      await work(PENDING, (store) => store.clear())
      await work(KEPT, (store) => store.clear())
    },
  }
}
