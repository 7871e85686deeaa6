/** Content of an auth token: what `setAuthToken` was given, and the claims the server added. */
export interface AuthToken {
  /** Seconds since the epoch. */
  exp?: number
  iat?: number
  [claim: string]: any
}

export type AuthState = 'authenticated' | 'unauthenticated'

export type SignAlgorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'none'

/** A secret, a PEM key, or whatever key the auth engine accepts. */
export type AuthKey =
  | string
  | Uint8Array
  | { key: string | Uint8Array; passphrase: string }
  | object

export interface SetAuthTokenOptions {
  /** Seconds, or a time span like `'2 days'`; default: the option `authDefaultExpiry`. */
  expiresIn?: string | number
  /** Reject when the client did not acknowledge the token. Default `false`. */
  rejectOnFailedDelivery?: boolean
  notBefore?: string | number
  audience?: string | string[]
  subject?: string
  issuer?: string
  jwtid?: string
  noTimestamp?: boolean
  header?: object
  keyid?: string
  [option: string]: any
}

/** Signs and verifies tokens; pass your own as the `authEngine` option. */
export interface AuthEngine {
  verifyToken(signedToken: string | null, key: any, options?: any): Promise<any>
  signToken(token: object, key: any, options?: any): Promise<string>
}

/** What the handshake found out about the client's token. */
export interface AuthInfo {
  signedAuthToken: string | null
  authTokenError: Error | null
  authToken: AuthToken | null
  authState: AuthState
}
