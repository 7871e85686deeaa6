/** Errors of the protocol, recognised by their `name`. */
export interface AuthTokenExpiredError extends Error {
  name: 'AuthTokenExpiredError'
  expiry: Date
}
export interface AuthTokenInvalidError extends Error {
  name: 'AuthTokenInvalidError'
}
export interface AuthTokenNotBeforeError extends Error {
  name: 'AuthTokenNotBeforeError'
  date: Date
}
export interface AuthTokenError extends Error {
  name: 'AuthTokenError'
}
export interface AuthError extends Error {
  name: 'AuthError'
}
export interface SilentMiddlewareBlockedError extends Error {
  name: 'SilentMiddlewareBlockedError'
  /** The middleware line. */
  type: string
}
export interface InvalidActionError extends Error {
  name: 'InvalidActionError'
}
export interface InvalidArgumentsError extends Error {
  name: 'InvalidArgumentsError'
}
export interface InvalidOptionsError extends Error {
  name: 'InvalidOptionsError'
  /**
   * `ERR_INVALID_OPTIONS`, `ERR_CLASS_UNAVAILABLE`, `ERR_NO_STORAGE`, or what is wrong with the storage:
   * `ERR_STORAGE_LOCKED`, `ERR_STORAGE_CORRUPT`, `ERR_STORAGE_VERSION`, `ERR_STORAGE_IO`.
   */
  code?: string
}
export interface InvalidMessageError extends Error {
  name: 'InvalidMessageError'
}
export interface SocketProtocolError extends Error {
  name: 'SocketProtocolError'
  /** Close code of the connection. */
  code: number
}
export interface ServerProtocolError extends Error {
  name: 'ServerProtocolError'
}
export interface TimeoutError extends Error {
  name: 'TimeoutError'
}
export interface BadConnectionError extends Error {
  name: 'BadConnectionError'
  type: 'disconnect' | 'connectAbort'
  /** Close code of the connection. */
  code: number
  reason: string
}
export interface BrokerError extends Error {
  name: 'BrokerError'
}
