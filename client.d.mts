import * as client from './client.js'

export default client
export * from './client.js'
