//! The compression of messages by permessage-deflate (RFC 7692), as in the server of npm `ws`.

use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{
    error::WsError,
    frame::{OpCode, encode_frame},
    negotiation::DeflateParams,
};

/// What ends a flushed DEFLATE block; it is left out on the wire.
const TRAILER: [u8; 4] = [0, 0, 0xff, 0xff];

/// An empty message, compressed: a stored block of no bytes, without its trailer.
const EMPTY_BLOCK: &[u8] = &[0];

const DEFAULT_WINDOW_BITS: u8 = 15;

/// The smallest step by which the output of an inflater grows.
const MIN_INFLATE_STEP: usize = 512;

/// The window to give zlib. It has no raw window of 8 bits and uses 9 instead; the distances its
/// compressor then uses still fit into 8 bits.
fn zlib_window_bits(agreed: Option<u8>) -> u8 {
    agreed.unwrap_or(DEFAULT_WINDOW_BITS).clamp(9, 15)
}

/// Inflates the messages of a client.
#[derive(Debug)]
pub struct Inflater {
    window_bits: u8,
    no_context_takeover: bool,
    /// Allocated for the first compressed frame.
    stream: Option<Decompress>,
    /// Whether the client has ended its DEFLATE stream.
    ended: bool,
}

impl Inflater {
    /// An inflater that allocates nothing until it is used.
    pub fn new(params: &DeflateParams) -> Self {
        Self {
            window_bits: zlib_window_bits(params.client_max_window_bits),
            no_context_takeover: params.client_no_context_takeover,
            stream: None,
            ended: false,
        }
    }

    /// Inflates one frame to the end of `output`, which is not to outgrow `limit`.
    pub fn inflate(
        &mut self,
        payload: &[u8],
        fin: bool,
        limit: usize,
        output: &mut Vec<u8>,
    ) -> Result<(), WsError> {
        let unread = self.inflate_part(payload, limit, output)?
            | (fin && self.inflate_part(&TRAILER, limit, output)?);
        // Data after the end of a stream is ignored; the next frame starts a new one.
        if (self.ended && unread) || (fin && self.no_context_takeover) {
            self.stream = None;
            self.ended = false;
        }
        Ok(())
    }

    /// Inflates `input`; whether some of it was left because the stream has ended.
    fn inflate_part(
        &mut self,
        mut input: &[u8],
        limit: usize,
        output: &mut Vec<u8>,
    ) -> Result<bool, WsError> {
        let window_bits = self.window_bits;
        let stream = self
            .stream
            .get_or_insert_with(|| Decompress::new_with_window_bits(false, window_bits));
        while !self.ended {
            if output.len() == output.capacity() {
                grow(output, input.len(), limit);
            }
            let (before_in, before_out) = (stream.total_in(), output.len());
            let status = stream
                .decompress_vec(input, output, FlushDecompress::Sync)
                .map_err(|error| WsError::inflate(error.message()))?;
            let consumed = (stream.total_in() - before_in) as usize;
            input = &input[consumed..];
            if output.len() > limit {
                return Err(WsError::too_long());
            }
            self.ended = status == Status::StreamEnd;
            let stuck = consumed == 0 && output.len() == before_out;
            if output.len() < output.capacity() && (input.is_empty() || stuck) {
                break;
            }
        }
        Ok(!input.is_empty())
    }
}

/// Makes room for more output in proportion to what is there, to one byte beyond `limit` at most:
/// that byte is enough to see that the limit is exceeded.
fn grow(output: &mut Vec<u8>, input_len: usize, limit: usize) {
    let step = output
        .len()
        .max(input_len.saturating_mul(2))
        .max(MIN_INFLATE_STEP);
    let room = limit.saturating_add(1).saturating_sub(output.len());
    // Not `reserve`, which may take twice what there is, and all of it would be filled.
    output.reserve_exact(step.min(room.max(1)));
}

/// Compresses the messages of a server.
#[derive(Debug)]
pub struct Deflater {
    params: DeflateParams,
    /// Allocated for the first message that is compressed.
    stream: Option<Compress>,
}

impl Deflater {
    /// A deflater that allocates nothing until it is used.
    pub fn new(params: DeflateParams) -> Self {
        Self {
            params,
            stream: None,
        }
    }

    /// Encodes a message as a frame, compressed if that is agreed for its size.
    pub fn encode(&mut self, text: bool, data: &[u8]) -> Bytes {
        let opcode = OpCode::message(text);
        if self.params.server_no_context_takeover && data.len() < self.params.threshold {
            return encode_frame(opcode, data, false);
        }
        if data.is_empty() {
            return encode_frame(opcode, EMPTY_BLOCK, true);
        }
        match self.compress(data) {
            Some(compressed) => encode_frame(opcode, &compressed, true),
            // A message may always go uncompressed.
            None => encode_frame(opcode, data, false),
        }
    }

    fn compress(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        let params = self.params;
        let mut stream = self.stream.take().unwrap_or_else(|| {
            let bits = zlib_window_bits(params.server_max_window_bits);
            Compress::new_with_window_bits(Compression::new(params.level), false, bits)
        });
        let compressed = compress_message(&mut stream, data)?;
        if !params.server_no_context_takeover {
            self.stream = Some(stream);
        }
        Some(compressed)
    }
}

fn compress_message(stream: &mut Compress, mut input: &[u8]) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(input.len() / 2 + 64);
    loop {
        let (before_in, before_out) = (stream.total_in(), output.len());
        stream
            .compress_vec(input, &mut output, FlushCompress::Sync)
            .ok()?;
        let consumed = (stream.total_in() - before_in) as usize;
        input = &input[consumed..];
        if output.len() < output.capacity() {
            let stuck = consumed == 0 && output.len() == before_out;
            if input.is_empty() {
                break;
            } else if stuck {
                return None;
            }
        } else {
            output.reserve(64);
        }
    }
    let length = output.strip_suffix(&TRAILER)?.len();
    output.truncate(length);
    Some(output)
}

/// What connections must have in common to share a compressed frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShareKey {
    window_bits: u8,
    threshold: usize,
    level: u32,
}

impl ShareKey {
    /// The key of connections with these parameters; `None` if each keeps a context of its own.
    pub fn new(params: &DeflateParams) -> Option<Self> {
        params.server_no_context_takeover.then(|| Self {
            window_bits: zlib_window_bits(params.server_max_window_bits),
            threshold: params.threshold,
            level: params.level,
        })
    }

    /// Encodes a message as a frame that every connection with this key can send.
    pub fn encode(&self, text: bool, data: &[u8]) -> Bytes {
        let params = DeflateParams {
            server_no_context_takeover: true,
            client_no_context_takeover: false,
            server_max_window_bits: Some(self.window_bits),
            client_max_window_bits: None,
            threshold: self.threshold,
            level: self.level,
        };
        Deflater::new(params).encode(text, data)
    }
}
