import type { ClientStorage, Kept, Pending } from './storage.ts'

const PENDING = 'pending'
const KEPT = 'kept'
const ONLY = 0

/**
 * In the browser's IndexedDB, one database for each user. Where the browser gives none, as in some private
 * windows, its calls reject, and the client goes on without.
 */
export function idbStorage(username: string): ClientStorage {
  let opened: Promise<IDBDatabase> | undefined
  const open = () => (opened ??= openDatabase(`microchatter ${username}`))

  async function work<T>(
    store: string,
    mode: IDBTransactionMode,
    ask: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> {
    const transaction = (await open()).transaction(store, mode)
    const request = ask(transaction.objectStore(store))
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result)
      transaction.onerror = transaction.onabort = () => reject(transaction.error)
    })
  }

  return {
    pending: () => work<Pending[]>(PENDING, 'readonly', (store) => store.getAll()),
    async put(pending) {
      await work(PENDING, 'readwrite', (store) => store.put(pending))
    },
    async remove(clientId) {
      await work(PENDING, 'readwrite', (store) => store.delete(clientId))
    },
    kept: () => work<Kept | undefined>(KEPT, 'readonly', (store) => store.get(ONLY)),
    async keep(kept) {
      await work(KEPT, 'readwrite', (store) => store.put(kept, ONLY))
    },
    async clear() {
      await work(PENDING, 'readwrite', (store) => store.clear())
      await work(KEPT, 'readwrite', (store) => store.clear())
    },
  }
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore(PENDING, { keyPath: 'clientId' })
      request.result.createObjectStore(KEPT)
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
