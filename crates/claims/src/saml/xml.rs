//! The XML under SAML: one bounded parse, and the few ways in which it is read.
//!
//! Names are compared with their namespace, and text is all the text of an element or nothing:
//! what a comment cuts in two is one value, and an element within a value makes it none.

use memchr::{memchr, memchr3, memmem};
use serde::Serialize;
use uppsala::{Document, Element, NodeId, NodeKind, Parser};

use super::canonical::canonical;

/// `urn:oasis:names:tc:SAML:2.0:assertion`
pub(super) const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// `urn:oasis:names:tc:SAML:2.0:protocol`
pub(super) const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// `urn:oasis:names:tc:SAML:2.0:metadata`
pub(super) const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
/// XML Signature.
pub(super) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML Encryption.
pub(super) const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
/// XML Encryption 1.1.
pub(super) const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";
/// Exclusive canonicalisation, without comments.
pub(super) const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Elements within elements, at most.
const MAX_DEPTH: u32 = 64;

/// How much XML is read at most, counted before anything is parsed.
///
/// ATTACK: documents that are small on the wire and dear to parse or to canonicalise
/// (corpus/saml/limits/).
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// Elements.
    pub elements: usize,
    /// Attributes of one element, namespace declarations among them.
    pub attributes: usize,
    /// Namespace declarations that hold at one place: its own and those of the elements around it.
    pub namespaces: usize,
}

/// For responses: AWS takes 100 000 characters of base64. Providers declare a handful of namespaces, some
/// anew with every value.
pub(super) const RESPONSE: Limits =
    Limits { bytes: 75_000, elements: 4_000, attributes: 32, namespaces: 64 };

/// For metadata, which an administrator gives. Federations publish documents of many megabytes;
/// one provider's is some kilobytes.
pub(super) const METADATA: Limits =
    Limits { bytes: 10_000_000, elements: 100_000, attributes: 64, namespaces: 256 };

/// Why a text is not XML that we read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "xml", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum XmlFault {
    /// More than is read.
    TooMuch {
        /// Of what: `bytes`, `elements`, `attributes`, `namespaces`.
        of: &'static str,
        /// How much is read.
        limit: usize,
    },
    /// Not UTF-8.
    NotUtf8,
    /// It has a document type declaration, which can define entities.
    Dtd,
    /// Not well-formed, or nested too deeply.
    Malformed,
}

impl std::fmt::Display for XmlFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooMuch { of, limit } => write!(f, "more than {limit} {of}"),
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::Dtd => f.write_str("a document type declaration"),
            Self::Malformed => {
                write!(f, "not well-formed XML of at most {MAX_DEPTH} levels with namespaces")
            }
        }
    }
}

/// A parsed document.
pub(super) struct Xml<'a> {
    doc: Document<'a>,
    root: NodeId,
}

impl<'a> Xml<'a> {
    /// Parses, within limits.
    pub(super) fn parse(bytes: &'a [u8], limits: Limits) -> Result<Self, XmlFault> {
        if bytes.len() > limits.bytes {
            return Err(XmlFault::TooMuch { of: "bytes", limit: limits.bytes });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| XmlFault::NotUtf8)?;
        scan(text.as_bytes(), limits)?;
        let doc = Parser::new()
            .with_max_depth(MAX_DEPTH)
            .with_forbid_dtd(true)
            .parse(text)
            .map_err(|_| XmlFault::Malformed)?;
        let root = doc.document_element().ok_or(XmlFault::Malformed)?;
        Ok(Self { doc, root })
    }

    /// The document's element.
    pub(super) fn root(&self) -> NodeId {
        self.root
    }

    /// The element it is in.
    pub(super) fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.doc.parent(id)
    }

    fn element(&self, id: NodeId) -> Option<&Element<'a>> {
        self.doc.element(id)
    }

    /// Whether it is the element of that name.
    pub(super) fn is(&self, id: NodeId, namespace: &str, local: &str) -> bool {
        self.element(id).is_some_and(|element| element.matches_name_ns(namespace, local))
    }

    /// Its name without namespace.
    pub(super) fn local(&self, id: NodeId) -> &str {
        self.element(id).map_or("", |element| element.name.local_name.as_ref())
    }

    /// Its namespace.
    pub(super) fn namespace(&self, id: NodeId) -> &str {
        self.element(id).and_then(|it| it.name.namespace_uri.as_deref()).unwrap_or_default()
    }

    /// The elements directly in it.
    pub(super) fn elements(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.doc.children_iter(id).filter(|child| self.element(*child).is_some())
    }

    /// The elements of that name directly in it.
    pub(super) fn named<'n>(
        &'n self,
        id: NodeId,
        namespace: &'n str,
        local: &'n str,
    ) -> impl Iterator<Item = NodeId> + 'n {
        self.elements(id).filter(move |child| self.is(*child, namespace, local))
    }

    /// The only element of that name directly in it; none for none and for several.
    pub(super) fn only(&self, id: NodeId, namespace: &str, local: &str) -> Option<NodeId> {
        let mut found = self.named(id, namespace, local);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// It and all elements in it, in document order.
    pub(super) fn all(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let within = self.doc.descendants(id).into_iter();
        std::iter::once(id).chain(within.filter(|node| self.element(*node).is_some()))
    }

    /// An attribute without a prefix: SAML's own have none.
    pub(super) fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        let attributes = &self.element(id)?.attributes;
        let found = attributes
            .iter()
            .find(|it| it.name.namespace_uri.is_none() && it.name.local_name == name)?;
        Some(found.value.as_ref())
    }

    /// Every attribute that some reader might take for an id, with its element.
    pub(super) fn ids(&self) -> impl Iterator<Item = (NodeId, &str)> {
        self.all(self.root).flat_map(|node| {
            let attributes = self.element(node).map_or(&[][..], |element| &element.attributes);
            attributes
                .iter()
                .filter(|it| it.name.local_name.eq_ignore_ascii_case("id"))
                .map(move |it| (node, it.value.as_ref()))
        })
    }

    /// All text of an element that has only text.
    ///
    /// ATTACK: a comment in a value, after which some readers stop (corpus/saml/values/).
    /// Canonicalisation drops comments, so the value is the text around them, whole. Processing
    /// instructions and elements have no business in a value and make it none.
    pub(super) fn text(&self, id: NodeId) -> Option<String> {
        let mut text = String::new();
        for child in self.doc.children_iter(id) {
            match self.doc.node_kind(child)? {
                NodeKind::Text(part) | NodeKind::CData(part) => text.push_str(part),
                NodeKind::Comment(_) => {}
                _ => return None,
            }
        }
        Some(text)
    }

    /// Bytes in base64, in an element that has nothing but plain text.
    ///
    /// ATTACK: a comment within a digest, so that two readers see two digests
    /// (corpus/saml/signature/, CVE-2025-29775).
    pub(super) fn base64(&self, id: NodeId) -> Option<Vec<u8>> {
        use base64::Engine;
        let mut text = String::new();
        for child in self.doc.children_iter(id) {
            match self.doc.node_kind(child)? {
                NodeKind::Text(part) => text.extend(part.split([' ', '\t', '\r', '\n'])),
                _ => return None,
            }
        }
        base64::engine::general_purpose::STANDARD.decode(text).ok().filter(|it| !it.is_empty())
    }

    /// The exclusive canonical form of an element, without comments, and without `but`.
    pub(super) fn canonical(
        &self,
        element: NodeId,
        but: Option<NodeId>,
        prefixes: &[String],
    ) -> Option<Vec<u8>> {
        canonical(&self.doc, element, but, prefixes)
    }
}

/// Counts without parsing, in one pass.
fn scan(bytes: &[u8], limits: Limits) -> Result<(), XmlFault> {
    let over = |count: usize, of: &'static str, limit: usize| match count > limit {
        true => Err(XmlFault::TooMuch { of, limit }),
        false => Ok(()),
    };
    let (mut elements, mut namespaces) = (0, 0);
    // How many each element that is open declares.
    let mut open = Vec::new();
    let xmlns = memmem::Finder::new("xmlns");
    let mut rest = bytes;
    while let Some(at) = memchr(b'<', rest) {
        rest = rest.get(at..).unwrap_or_default();
        if rest.starts_with(b"<!--") {
            rest = after(rest, b"-->");
        } else if rest.starts_with(b"<![CDATA[") {
            rest = after(rest, b"]]>");
        } else if rest.starts_with(b"<!") {
            return Err(XmlFault::Dtd);
        } else if rest.starts_with(b"<?") {
            rest = after(rest, b"?>");
        } else {
            let tag = Tag::of(rest, &xmlns);
            elements += usize::from(tag.kind != TagKind::End);
            over(elements, "elements", limits.elements)?;
            over(tag.attributes, "attributes", limits.attributes)?;
            over(namespaces + tag.namespaces, "namespaces", limits.namespaces)?;
            match tag.kind {
                TagKind::Start => {
                    namespaces += tag.namespaces;
                    open.push(tag.namespaces);
                }
                TagKind::Empty => {}
                // The parser refuses an end without a start.
                TagKind::End => namespaces -= open.pop().unwrap_or_default(),
            }
            rest = tag.rest;
        }
    }
    Ok(())
}

fn after<'a>(bytes: &'a [u8], end: &[u8]) -> &'a [u8] {
    let at = memmem::find(bytes, end);
    at.and_then(|at| bytes.get(at + end.len()..)).unwrap_or_default()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TagKind {
    Start,
    Empty,
    End,
}

/// One tag, roughly: what is in quotes is an attribute's value.
struct Tag<'a> {
    kind: TagKind,
    attributes: usize,
    namespaces: usize,
    rest: &'a [u8],
}

impl<'a> Tag<'a> {
    fn of(bytes: &'a [u8], xmlns: &memmem::Finder<'_>) -> Self {
        let kind = if bytes.starts_with(b"</") { TagKind::End } else { TagKind::Start };
        let mut tag = Self { kind, attributes: 0, namespaces: 0, rest: bytes };
        while let Some(at) = memchr3(b'"', b'\'', b'>', tag.rest) {
            let (name, rest) = tag.rest.split_at_checked(at).unwrap_or_default();
            let [found, rest @ ..] = rest else { break };
            tag.rest = rest;
            if *found == b'>' {
                if name.ends_with(b"/") {
                    tag.kind = TagKind::Empty;
                }
                return tag;
            }
            tag.attributes += 1;
            tag.namespaces += usize::from(xmlns.find(name).is_some());
            let value = memchr(*found, tag.rest);
            tag.rest = value.and_then(|at| tag.rest.get(at + 1..)).unwrap_or_default();
        }
        Self { rest: &[], ..tag }
    }
}
