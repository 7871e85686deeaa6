import client from './client.js'

export default client
export const { AGClientSocket, create, factory, version } = client
