//! The negotiation of permessage-deflate (RFC 7692), as the server of npm `ws` conducts it.

use super::extension::{Offer, js_integer};

/// The name of the extension.
pub const EXTENSION_NAME: &str = "permessage-deflate";

/// A server's stance on one of the window size parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WindowLimit {
    /// No option set: whatever the client asks for.
    #[default]
    Any,
    /// The option is `false`: the parameter is not accepted.
    Refuse,
    /// The option is a number of bits.
    Bits(u8),
}

/// The options of npm `ws` for permessage-deflate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeflateOptions {
    /// `serverNoContextTakeover`.
    pub server_no_context_takeover: Option<bool>,
    /// `clientNoContextTakeover`.
    pub client_no_context_takeover: Option<bool>,
    /// `serverMaxWindowBits`.
    pub server_max_window_bits: WindowLimit,
    /// `clientMaxWindowBits`.
    pub client_max_window_bits: WindowLimit,
    /// `threshold`: smaller messages stay uncompressed if there is no context takeover.
    pub threshold: usize,
    /// `zlibDeflateOptions.level`; zlib's default if not set.
    pub level: Option<u32>,
}

impl Default for DeflateOptions {
    fn default() -> Self {
        Self {
            server_no_context_takeover: None,
            client_no_context_takeover: None,
            server_max_window_bits: WindowLimit::Any,
            client_max_window_bits: WindowLimit::Any,
            threshold: 1024,
            level: None,
        }
    }
}

/// The parameters both sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeflateParams {
    /// Whether each message of the server is compressed on its own.
    pub server_no_context_takeover: bool,
    /// Whether each message of the client is compressed on its own.
    pub client_no_context_takeover: bool,
    /// The window of the server's compressor, if agreed on.
    pub server_max_window_bits: Option<u8>,
    /// The window of the client's compressor, if agreed on.
    pub client_max_window_bits: Option<u8>,
    /// The size from which messages without context takeover are compressed.
    pub threshold: usize,
    /// The compression level.
    pub level: u32,
}

/// Why no offer could be accepted: each reason is answered with the same rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unacceptable;

/// Chooses among the offers of a client.
///
/// `None` if it does not offer permessage-deflate at all; else the parameters and the value of the
/// response header.
pub fn negotiate(
    offers: &[Offer],
    options: &DeflateOptions,
) -> Option<Result<(DeflateParams, String), Unacceptable>> {
    let mut offers = offers
        .iter()
        .filter(|o| o.name == EXTENSION_NAME)
        .peekable();
    offers.peek()?;
    // One malformed offer spoils them all, even if another would be acceptable.
    let offers: Result<Vec<_>, _> = offers.map(OfferedParams::parse).collect();
    Some(offers.and_then(|offers| {
        let accepted = offers.into_iter().find(|o| o.is_acceptable(options));
        let accepted = accepted.ok_or(Unacceptable)?.accept(options);
        let header = accepted.to_header();
        Ok((accepted.into_params(options), header))
    }))
}

/// A parameter of an offer or a response.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Param {
    ServerNoContextTakeover,
    ClientNoContextTakeover,
    ServerMaxWindowBits(u8),
    /// Without a value a client merely says that it understands the parameter.
    ClientMaxWindowBits(Option<u8>),
}

impl Param {
    fn parse(name: &str, value: Option<&str>) -> Result<Self, Unacceptable> {
        match (name, value) {
            ("server_no_context_takeover", None) => Ok(Self::ServerNoContextTakeover),
            ("client_no_context_takeover", None) => Ok(Self::ClientNoContextTakeover),
            ("server_max_window_bits", Some(v)) => Ok(Self::ServerMaxWindowBits(window_bits(v)?)),
            ("client_max_window_bits", None) => Ok(Self::ClientMaxWindowBits(None)),
            ("client_max_window_bits", Some(v)) => {
                Ok(Self::ClientMaxWindowBits(Some(window_bits(v)?)))
            }
            _ => Err(Unacceptable),
        }
    }

    fn same_name(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl std::fmt::Display for Param {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ServerNoContextTakeover => f.write_str("server_no_context_takeover"),
            Self::ClientNoContextTakeover => f.write_str("client_no_context_takeover"),
            Self::ServerMaxWindowBits(bits) => write!(f, "server_max_window_bits={bits}"),
            Self::ClientMaxWindowBits(None) => f.write_str("client_max_window_bits"),
            Self::ClientMaxWindowBits(Some(bits)) => write!(f, "client_max_window_bits={bits}"),
        }
    }
}

fn window_bits(value: &str) -> Result<u8, Unacceptable> {
    match js_integer(value) {
        Some(bits) if (8.0..=15.0).contains(&bits) => Ok(bits as u8),
        _ => Err(Unacceptable),
    }
}

/// The distinct parameters of one offer, in the order sent, which the response keeps.
struct OfferedParams(Vec<Param>);

impl OfferedParams {
    fn parse(offer: &Offer) -> Result<Self, Unacceptable> {
        let mut params = Self(Vec::new());
        for (name, value) in &offer.params {
            let param = Param::parse(name, value.as_deref())?;
            if params.0.iter().any(|p| p.same_name(&param)) {
                return Err(Unacceptable);
            }
            params.0.push(param);
        }
        Ok(params)
    }

    fn server_bits(&self) -> Option<u8> {
        self.0.iter().find_map(|param| match param {
            Param::ServerMaxWindowBits(bits) => Some(*bits),
            _ => None,
        })
    }

    fn client_bits(&self) -> Option<Option<u8>> {
        self.0.iter().find_map(|param| match param {
            Param::ClientMaxWindowBits(bits) => Some(*bits),
            _ => None,
        })
    }

    fn is_acceptable(&self, options: &DeflateOptions) -> bool {
        let takeover = options.server_no_context_takeover != Some(false)
            || !self.0.contains(&Param::ServerNoContextTakeover);
        let server = match (options.server_max_window_bits, self.server_bits()) {
            (WindowLimit::Refuse, Some(_)) => false,
            (WindowLimit::Bits(ours), Some(theirs)) => ours <= theirs,
            _ => true,
        };
        // A client that does not mention the parameter cannot be told to use a smaller window.
        let client = match (options.client_max_window_bits, self.client_bits()) {
            (WindowLimit::Bits(_), None) => false,
            (WindowLimit::Bits(ours), Some(Some(theirs))) => ours <= theirs,
            _ => true,
        };
        takeover && server && client
    }

    fn set(&mut self, param: Param) {
        match self.0.iter_mut().find(|p| p.same_name(&param)) {
            Some(existing) => *existing = param,
            None => self.0.push(param),
        }
    }

    fn accept(mut self, options: &DeflateOptions) -> Self {
        if options.server_no_context_takeover == Some(true) {
            self.set(Param::ServerNoContextTakeover);
        }
        if options.client_no_context_takeover == Some(true) {
            self.set(Param::ClientNoContextTakeover);
        }
        if let WindowLimit::Bits(bits) = options.server_max_window_bits {
            self.set(Param::ServerMaxWindowBits(bits));
        }
        match options.client_max_window_bits {
            WindowLimit::Bits(bits) => self.set(Param::ClientMaxWindowBits(Some(bits))),
            WindowLimit::Refuse => self
                .0
                .retain(|p| !matches!(p, Param::ClientMaxWindowBits(_))),
            WindowLimit::Any => self.0.retain(|p| *p != Param::ClientMaxWindowBits(None)),
        }
        self
    }

    fn to_header(&self) -> String {
        self.0
            .iter()
            .fold(EXTENSION_NAME.to_owned(), |header, param| {
                format!("{header}; {param}")
            })
    }

    fn into_params(self, options: &DeflateOptions) -> DeflateParams {
        DeflateParams {
            server_no_context_takeover: self.0.contains(&Param::ServerNoContextTakeover),
            client_no_context_takeover: self.0.contains(&Param::ClientNoContextTakeover),
            server_max_window_bits: self.server_bits(),
            client_max_window_bits: self.client_bits().flatten(),
            threshold: options.threshold,
            level: options.level.unwrap_or(6).min(9),
        }
    }
}
