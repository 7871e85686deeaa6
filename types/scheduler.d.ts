import { Scheduled } from './streams-kept'

/** What is published, and where. */
export interface ScheduledMessage {
  channel: string
  data?: any
  /** See `PublishOptions`. */
  key?: string
}

/** A timer as `scheduler.list` gives it. */
export interface Timer {
  id: string
  channel: string
  /** Unix time in milliseconds at which it publishes next. */
  due: number
  /** Milliseconds between two messages. */
  every?: number
  cron?: string
  timezone?: string
  /** How often it has published. */
  count: number
}

/**
 * Publishes later (`server.scheduler`). Timers belong to the core and, with the `storage` option,
 * survive restarts. A timer with the `id` of another takes its place. Everything rejects with a
 * `StreamError`: `ERR_NO_STREAMS` without the `streams` option, `ERR_BAD_SCHEDULE` for what is no time
 * within ten years, `ERR_TOO_MANY_TIMERS` above 1,000,000.
 */
export class Scheduler {
  protected constructor()
  /**
   * Once.
   * @param when unix time in milliseconds, or a date; one that is over publishes at once
   */
  at(when: Date | number, message: ScheduledMessage, options?: { id?: string }): Promise<Scheduled>
  /** Once, so many milliseconds from now. */
  after(ms: number, message: ScheduledMessage, options?: { id?: string }): Promise<Scheduled>
  /**
   * Again and again; times that were missed are left out.
   * @param ms between two messages, at least 1
   * @param options `start`: unix time in milliseconds or date of the first; default: `ms` from now
   */
  every(
    ms: number,
    message: ScheduledMessage,
    options?: { id?: string; start?: Date | number },
  ): Promise<Scheduled>
  /**
   * By the calendar; rejects with `ERR_BAD_CRON` for what it cannot read.
   * @param expression five fields, or six with the seconds first
   * @param options `timezone`: IANA name; default `UTC`
   */
  cron(
    expression: string,
    message: ScheduledMessage,
    options?: { id?: string; timezone?: string },
  ): Promise<Scheduled>
  /** Whether there was such a timer. */
  cancel(id: string): Promise<boolean>
  /**
   * The timers by their id.
   * @param options `limit`: 1 to 1000, default 100; `after`: the id before those wanted
   */
  list(options?: { limit?: number; after?: string }): Promise<{ timers: Timer[]; more: boolean }>
}
