// Errors of shared memory, events, parallel work and machines.

/**
 * A stable code to match on; messages may be reworded.
 *
 * - `ERR_NC_INVALID_ARG`, `ERR_NC_INVALID_URL`, `ERR_NC_INVALID_KEY`, `ERR_NC_INVALID_VALUE`,
 *   `ERR_NC_NOT_ITERABLE`, `ERR_NC_NOT_A_FUNCTION`: what was given cannot be used
 * - `ERR_NC_FUNCTION_SOURCE`, `ERR_NC_CAPTURED_VARIABLES`, `ERR_NC_USES_THIS`: a function that cannot run
 *   elsewhere
 * - `ERR_NC_NO_SCOPE`: a function uses its scope, and `useScope()` was not called
 * - `ERR_NC_VALUE_TOO_LARGE`: a value is too large, or the memory is full
 * - `ERR_NC_CONFLICT`: somebody else was faster
 * - `ERR_NC_NOT_OWNER`: the memory is in another process, which cannot be asked synchronously
 * - `ERR_NC_STORAGE`: the disk has failed, or the directory cannot be used
 * - `ERR_NC_NOT_READY`: the directory of the memory is being read, and it was asked synchronously
 * - `ERR_NC_CONNECT`: nobody can be reached, or the token is not the one needed
 * - `ERR_NC_CODE_REFUSED`: functions are not accepted there
 * - `ERR_NC_NO_WORKERS`, `ERR_NC_QUEUE_FULL`: work that nobody can do, or that there is no room for
 * - `ERR_NC_TASK_FAILED`: the function threw
 * - `ERR_NC_TASK_TIMEOUT`, `ERR_NC_WORKER_LOST`, `ERR_NC_WORKER_OUT_OF_MEMORY`: its worker was ended, or
 *   ended
 * - `ERR_NC_UNSERIALIZABLE_RESULT`: what the function gave cannot be copied
 * - `ERR_NC_CLOSED`: after `close()`
 */
export type ErrorCode =
  | 'ERR_NC_INVALID_ARG'
  | 'ERR_NC_INVALID_URL'
  | 'ERR_NC_INVALID_KEY'
  | 'ERR_NC_INVALID_VALUE'
  | 'ERR_NC_VALUE_TOO_LARGE'
  | 'ERR_NC_NOT_A_FUNCTION'
  | 'ERR_NC_NOT_ITERABLE'
  | 'ERR_NC_FUNCTION_SOURCE'
  | 'ERR_NC_CAPTURED_VARIABLES'
  | 'ERR_NC_USES_THIS'
  | 'ERR_NC_NO_SCOPE'
  | 'ERR_NC_NO_WORKERS'
  | 'ERR_NC_QUEUE_FULL'
  | 'ERR_NC_TASK_FAILED'
  | 'ERR_NC_TASK_TIMEOUT'
  | 'ERR_NC_WORKER_LOST'
  | 'ERR_NC_WORKER_OUT_OF_MEMORY'
  | 'ERR_NC_UNSERIALIZABLE_RESULT'
  | 'ERR_NC_CONNECT'
  | 'ERR_NC_NOT_OWNER'
  | 'ERR_NC_CONFLICT'
  | 'ERR_NC_CODE_REFUSED'
  | 'ERR_NC_STORAGE'
  | 'ERR_NC_NOT_READY'
  | 'ERR_NC_CLOSED'

/** Something was asked that cannot be done; `code` says what. */
export class NetworkClusterError extends Error {
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown })
  readonly code: ErrorCode
}

/** A variable of the place where a function was written. */
export interface Captured {
  readonly name: string
  /** From 1, in the function's own text. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** Whether the function writes to it. */
  readonly assigned: boolean
}

/** A function uses variables that do not exist where it is to run. */
export class CapturedVariablesError extends NetworkClusterError {
  constructor(message: string, captured: readonly Captured[])
  readonly captured: readonly Captured[]
}

/** A function failed for an item; `cause` is what it threw, if it did. */
export class TaskError extends NetworkClusterError {
  constructor(
    message: string,
    details: {
      code?: ErrorCode
      itemIndex: number
      workerId: string
      attempts: number
      cause?: unknown
    },
  )
  /** The item's place in the source, from 0. */
  readonly itemIndex: number
  /** Where it ran. */
  readonly workerId: string
  /** How often it was tried. */
  readonly attempts: number
}
