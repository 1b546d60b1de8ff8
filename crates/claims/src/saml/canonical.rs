//! Exclusive canonical XML without comments (W3C, "Exclusive XML Canonicalization Version 1.0"): the
//! bytes that a signature covers, of one element without one other in it, its signature.
//!
//! The tests sign with another canonicaliser than this, and xmlsec1 has a say.

use memchr::{memchr, memchr3};
use uppsala::{Attribute, Document, Element, NodeId, NodeKind, QName};

/// A prefix, empty for the default namespace, and what it stands for, empty for nothing.
type Binding<'d> = (&'d str, &'d str);

/// The canonical form of `element` without `but`. `prefixes` is InclusiveNamespaces' PrefixList.
/// None for what the parser never gives.
pub(super) fn canonical<'d>(
    doc: &'d Document<'_>,
    element: NodeId,
    but: Option<NodeId>,
    prefixes: &'d [String],
) -> Option<Vec<u8>> {
    let listed = prefixes.iter().map(|it| if it == "#default" { "" } else { it.as_str() });
    let mut form = Form {
        doc,
        but,
        listed: listed.collect(),
        declared: Vec::new(),
        out: Vec::with_capacity(8 * 1024),
    };
    form.node(element)?;
    Some(form.out)
}

/// What an element itself declares a prefix to be.
fn declaration<'d>(element: &'d Element<'_>, prefix: &str) -> Option<&'d str> {
    let own = element.namespace_declarations.iter().find(|(own, _)| own == prefix);
    own.map(|(_, uri)| uri.as_ref())
}

struct Form<'d, 'a> {
    doc: &'d Document<'a>,
    but: Option<NodeId>,
    /// The prefixes of the list.
    listed: Vec<&'d str>,
    /// What the elements around have declared in the output, the innermost last.
    declared: Vec<Binding<'d>>,
    out: Vec<u8>,
}

impl<'d, 'a> Form<'d, 'a> {
    fn node(&mut self, id: NodeId) -> Option<()> {
        let doc = self.doc;
        match doc.node_kind(id)? {
            NodeKind::Element(_) if self.but == Some(id) => {}
            NodeKind::Element(element) => self.element(id, element)?,
            NodeKind::Text(text) | NodeKind::CData(text) => self.text(text),
            NodeKind::ProcessingInstruction(instruction) => {
                let data = instruction.data.as_deref().unwrap_or_default();
                let space = if data.is_empty() { "" } else { " " };
                self.write(&["<?", &instruction.target, space, &data.replace('\r', "&#xD;"), "?>"]);
            }
            NodeKind::Comment(_) => {}
            NodeKind::Document | NodeKind::Attribute(..) => return None,
        }
        Some(())
    }

    fn element(&mut self, id: NodeId, element: &'d Element<'a>) -> Option<()> {
        let (doc, outer) = (self.doc, self.declared.len());
        self.declare(binding(&element.name))?;
        for attribute in element.attributes.iter().filter(|it| it.name.prefix.is_some()) {
            self.declare(binding(&attribute.name))?;
        }
        for at in 0..self.listed.len() {
            let prefix = *self.listed.get(at)?;
            // Further in, what is not declared anew stands in the output already.
            let uri = match self.out.is_empty() {
                true => self.in_scope(id, prefix),
                false => declaration(element, prefix),
            };
            if let Some(uri) = uri {
                self.declare((prefix, uri))?;
            }
        }

        let name = &element.name;
        self.out.push(b'<');
        self.name(name);
        self.declared.get_mut(outer..)?.sort_unstable();
        for at in outer..self.declared.len() {
            let (prefix, uri) = self.declared.get(at).copied()?;
            self.write(&[" xmlns", if prefix.is_empty() { "" } else { ":" }, prefix, "=\""]);
            self.value(uri);
        }
        let mut attributes: Vec<&Attribute<'_>> = element.attributes.iter().collect();
        attributes.sort_unstable_by_key(|it| (binding(&it.name).1, it.name.local_name.as_ref()));
        for attribute in attributes {
            self.out.push(b' ');
            self.name(&attribute.name);
            self.write(&["=\""]);
            self.value(&attribute.value);
        }
        self.out.push(b'>');
        for child in doc.children_iter(id) {
            self.node(child)?;
        }
        self.write(&["</"]);
        self.name(name);
        self.out.push(b'>');
        self.declared.truncate(outer);
        Some(())
    }

    /// What a prefix stands for in an element.
    fn in_scope(&self, element: NodeId, prefix: &str) -> Option<&'d str> {
        let doc = self.doc;
        std::iter::successors(Some(element), |around| doc.parent(*around))
            .find_map(|around| declaration(doc.element(around)?, prefix))
    }

    /// Notes what must be declared, unless the elements around have done so.
    fn declare(&mut self, (prefix, uri): Binding<'d>) -> Option<()> {
        if prefix == "xml" {
            return Some(());
        }
        let known = self.declared.iter().rev().find(|(known, _)| *known == prefix);
        if known.map_or("", |(_, uri)| uri) != uri {
            self.declared.push((prefix, uri));
        }
        // Only the default namespace can be taken back (Namespaces in XML 1.0 section 5).
        (prefix.is_empty() || !uri.is_empty()).then_some(())
    }

    fn name(&mut self, name: &QName<'_>) {
        if let Some(prefix) = name.prefix.as_deref().filter(|it| !it.is_empty()) {
            self.write(&[prefix, ":"]);
        }
        self.write(&[&name.local_name]);
    }

    fn write(&mut self, parts: &[&str]) {
        for part in parts {
            self.out.extend_from_slice(part.as_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        if memchr3(b'&', b'<', b'>', bytes).is_none() && memchr(b'\r', bytes).is_none() {
            return self.out.extend_from_slice(bytes);
        }
        for byte in bytes {
            match byte {
                b'&' => self.write(&["&amp;"]),
                b'<' => self.write(&["&lt;"]),
                b'>' => self.write(&["&gt;"]),
                b'\r' => self.write(&["&#xD;"]),
                _ => self.out.push(*byte),
            }
        }
    }

    /// An attribute's value, and the quote after it.
    fn value(&mut self, value: &str) {
        let bytes = value.as_bytes();
        let plain = memchr3(b'&', b'<', b'"', bytes).is_none();
        if plain && memchr3(b'\t', b'\n', b'\r', bytes).is_none() {
            self.out.extend_from_slice(bytes);
        } else {
            for byte in bytes {
                match byte {
                    b'&' => self.write(&["&amp;"]),
                    b'<' => self.write(&["&lt;"]),
                    b'"' => self.write(&["&quot;"]),
                    b'\t' => self.write(&["&#x9;"]),
                    b'\n' => self.write(&["&#xA;"]),
                    b'\r' => self.write(&["&#xD;"]),
                    _ => self.out.push(*byte),
                }
            }
        }
        self.out.push(b'"');
    }
}

/// What the prefix of a name stands for. An attribute without one is in no namespace.
fn binding<'d>(name: &'d QName<'_>) -> Binding<'d> {
    (name.prefix.as_deref().unwrap_or_default(), name.namespace_uri.as_deref().unwrap_or_default())
}
