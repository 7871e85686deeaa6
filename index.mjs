import api from './index.js'

export default api
export const { AGServer, AGServerSocket, AGRequest, StreamError, listen, attach } = api
