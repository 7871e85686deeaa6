/** What one consumer of a stream holds back. */
export interface ConsumerStats {
  id: number
  /** Values written but not yet taken by this consumer. */
  backpressure: number
  /** Name of the stream, where the stream is one of several. */
  stream?: string
  /** Milliseconds the consumer waits for each value, if it was created with a timeout. */
  timeout?: number
}

/** One reader of a stream. */
export interface Consumer<T> extends AsyncIterableIterator<T> {
  readonly id: number
  /** Rejects with a `TimeoutError` when the consumer has a timeout and no value comes in time. */
  next(): Promise<IteratorResult<T, any>>
  /** Ends the consumer; it may be awaited but takes effect at once. */
  return(): Promise<IteratorResult<T, any>>
  getStats(): ConsumerStats
  getBackpressure(): number
  [Symbol.asyncIterator](): this
}

/** A stream which any number of loops may consume in parallel, each seeing every value. */
export class ConsumableStream<T = any> implements AsyncIterable<T> {
  /** The next value written; rejects with a `TimeoutError` after `timeout` milliseconds. */
  next(timeout?: number): Promise<IteratorResult<T, any>>
  /** Like `next` but gives the bare value, and does not resolve if the stream ends. */
  once(timeout?: number): Promise<T>
  createConsumer(timeout?: number): Consumer<T>
  [Symbol.asyncIterator](): Consumer<T>
}

/** A stream which can be written to. */
export class WritableConsumableStream<T = any> extends ConsumableStream<T> {
  constructor(options?: {
    generateConsumerId?: () => number
    removeConsumerCallback?: (consumerId: number) => void
  })
  write(value: T): void
  /** Ends the loops once they have consumed what was written before. */
  close(value?: any): void
  writeToConsumer(consumerId: number, value: T): void
  closeConsumer(consumerId: number, value?: any): void
  /** Ends the loops at once; what they have not consumed yet is dropped. */
  kill(value?: any): void
  killConsumer(consumerId: number, value?: any): void
  getBackpressure(): number
  getConsumerBackpressure(consumerId: number): number
  hasConsumer(consumerId: number): boolean
  getConsumerStats(consumerId: number): ConsumerStats | undefined
  getConsumerStatsList(): ConsumerStats[]
  getConsumerList(): Consumer<T>[]
  setConsumer(consumerId: number, consumer: Consumer<T>): void
  removeConsumer(consumerId: number): boolean
  getConsumerCount(): number
}

/** One stream of a set, by its name. */
export class DemuxedConsumableStream<T = any> extends ConsumableStream<T> {
  readonly name: string
}

/** Events of an emitter whose names are not known beforehand. */
export type AnyEvents = Record<string, any>

/** Emits events as streams; `Events` maps each event to its data. */
export class AsyncStreamEmitter<Events extends object = AnyEvents> {
  /** Data emitted while nobody consumes the event is dropped. */
  emit<E extends keyof Events & string>(eventName: E, data: Events[E]): void
  emit(eventName: string, data?: any): void
  listener<E extends keyof Events & string>(eventName: E): DemuxedConsumableStream<Events[E]>
  listener<T = any>(eventName: string): DemuxedConsumableStream<T>
  /** Ends the loops over an event once they have consumed what was emitted before. */
  closeListener(eventName: string): void
  closeAllListeners(): void
  /** Ends the loops over an event at once. */
  killListener(eventName: string): void
  killAllListeners(): void
  killListenerConsumer(consumerId: number): void
  /** Forgets the stream of an event: its loops stay but receive nothing more. */
  removeListener(eventName: string): void
  getListenerConsumerStats(consumerId: number): ConsumerStats | undefined
  getListenerConsumerStatsList(eventName: string): ConsumerStats[]
  getAllListenersConsumerStatsList(): ConsumerStats[]
  getListenerConsumerCount(eventName: string): number
  getAllListenersConsumerCount(): number
  getListenerBackpressure(eventName: string): number
  getAllListenersBackpressure(): number
  getListenerConsumerBackpressure(consumerId: number): number
  hasListenerConsumer(eventName: string, consumerId: number): boolean
  hasAnyListenerConsumer(consumerId: number): boolean
}
