/** What `new BrowserWorker()` takes. */
export interface BrowserWorkerOptions {
  /** The manager's address: `ws:` or `http:` (`wss:` or `https:` behind a proxy) and a port. */
  connect: string
  /** As the manager has it. It is not sent. Needs a page that is a secure context. */
  token?: string
  /** What it can be told to run, by name. */
  functions: Record<string, (...args: any[]) => unknown>
  /** Items at once, for functions that wait. Default: 1. */
  concurrency?: number
  /** Told when it is connected, when it is not any more and tries again, and when it was refused for good. */
  onState?: (state: 'open' | 'lost' | 'refused') => void
}

/** Works for a manager in a web page. Connects at once, and again when the connection is lost. */
export class BrowserWorker {
  /** @throws TypeError if there is a token and it is empty, or the page is no secure context */
  constructor(options: BrowserWorkerOptions)
  readonly id: string
  /** Whether the manager has let it in. */
  readonly isOpen: boolean
  /** Ends it. What it has is done by others. May be called again. */
  close(): void
}
