/** The side of a connection which answers requests. */
export interface RequestSocket {
  sendObject(object: any, options?: any): any
}

/** A remote call waiting for its answer; `end` or `error` must be called once. */
export class AGRequest<Data = any, Socket extends RequestSocket = RequestSocket> {
  constructor(socket: Socket, id: number, procedureName: string, data?: Data)
  readonly socket: Socket
  readonly id: number
  readonly procedure: string
  data: Data
  /** Whether the request has been answered; answering again throws an `InvalidActionError`. */
  sent: boolean
  end(data?: any, options?: any): void
  error(error: Error | string, options?: any): void
}
