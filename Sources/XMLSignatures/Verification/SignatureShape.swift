import CXmlSec
import Octets

/// A ds:Signature taken apart, exactly as its schema has it: what stands twice, or where it does not belong, could be
/// read one way here and another way elsewhere.
struct SignatureShape {
    let element: Node
    let id: String?
    let signedInfo: Node
    let canonicalisation: Canonicalisation
    let methodURI: String
    let references: [Reference]
    let valueElement: Node
    let value: [UInt8]
    let keyInfo: Node?
    let objects: [Node]

    init(_ element: Node) throws(XMLFault) {
        self.element = element
        id = element.attribute("Id")
        var parts = element.elements[...]
        signedInfo = try Self.consume("SignedInfo", &parts, in: element)
        valueElement = try Self.consume("SignatureValue", &parts, in: element)
        keyInfo = parts.first.flatMap { $0.isElement("KeyInfo") ? $0 : nil }
        if keyInfo != nil { parts.removeFirst() }
        objects = Array(parts)
        for object in objects where !object.isElement("Object") {
            throw XMLFault(.invalid, "ds:Signature holds \(object.localName) where it does not belong")
        }
        value = try Self.octets(of: valueElement)
        var infoParts = signedInfo.elements[...]
        let method = try Self.consume("CanonicalizationMethod", &infoParts, in: signedInfo)
        canonicalisation = try Self.canonicalisation(method)
        let signatureMethod = try Self.consume("SignatureMethod", &infoParts, in: signedInfo)
        methodURI = try Self.algorithm(of: signatureMethod)
        guard !infoParts.isEmpty else { throw XMLFault(.invalid, "the signature has no reference: it signs nothing") }
        guard infoParts.count <= XMLSignatureLimits.references else {
            throw XMLFault(.invalid, "the signature has more than \(XMLSignatureLimits.references) references")
        }
        var references: [Reference] = []
        for part in infoParts {
            guard part.isElement("Reference") else {
                throw XMLFault(.invalid, "ds:SignedInfo holds \(part.localName) where it does not belong")
            }
            references.append(try Reference(part))
        }
        self.references = references
    }

    /// Its own references and those of the manifests in its objects, as far as they can be read.
    var everyReference: [Reference] {
        let manifests = objects.flatMap { $0.elements("Manifest") }
        let listed = manifests.flatMap { $0.elements("Reference").prefix(XMLSignatureLimits.references) }
        return references + listed.compactMap { try? Reference($0) }
    }

    /// The next of `parts`, which must have that name.
    static func consume(_ name: String, _ parts: inout ArraySlice<Node>, in parent: Node) throws(XMLFault) -> Node {
        guard let part = parts.first, part.isElement(name) else {
            throw XMLFault(.invalid, "ds:\(parent.localName) has no ds:\(name) in its place")
        }
        parts.removeFirst()
        return part
    }

    static func algorithm(of element: Node) throws(XMLFault) -> String {
        guard let uri = element.attribute("Algorithm"), !uri.isEmpty else {
            throw XMLFault(.invalid, "ds:\(element.localName) names no algorithm")
        }
        return uri
    }

    static func canonicalisation(_ element: Node) throws(XMLFault) -> Canonicalisation {
        let uri = try algorithm(of: element)
        guard var method = Canonicalisation(uri: uri) else {
            throw XMLFault(.indeterminate, "the canonicalisation \(uri) is not known here")
        }
        for part in element.elements {
            guard method.form == .exclusive, part.isElement("InclusiveNamespaces", in: Namespace.exclusive),
                method.inclusivePrefixes.isEmpty
            else { throw XMLFault(.indeterminate, "\(part.localName) in a canonicalisation is not known here") }
            let list = part.attribute("PrefixList") ?? ""
            method.inclusivePrefixes = list.split { " \t\r\n".contains($0) }.map(String.init)
            guard method.inclusivePrefixes.count <= 64 else {
                throw XMLFault(.indeterminate, "a canonicalisation names more than 64 prefixes")
            }
        }
        return method
    }

    /// The octets of base64 text. A comment in it may hide half of a value from one reader and not from another.
    static func octets(of element: Node) throws(XMLFault) -> [UInt8] {
        guard let text = element.onlyText else {
            throw XMLFault(.invalid, "ds:\(element.localName) holds something else than text")
        }
        do throws(Base64Error) {
            return try Base64.decode(text)
        } catch {
            throw XMLFault(.invalid, "ds:\(element.localName) is no base64: \(error)")
        }
    }
}

/// The reason why a signature cannot be followed.
struct XMLFault: Error {
    let finding: XMLFinding

    init(_ level: XMLFinding.Level, _ message: String) { finding = XMLFinding(level, message) }
}

/// A ds:Reference taken apart.
struct Reference {
    let element: Node
    let uri: String?
    let type: String?
    let transforms: TransformChain
    let digestURI: String
    let digest: [UInt8]

    init(_ element: Node) throws(XMLFault) {
        self.element = element
        uri = element.attribute("URI")
        type = element.attribute("Type")
        var parts = element.elements[...]
        if let part = parts.first, part.isElement("Transforms") {
            transforms = try TransformChain(part)
            parts.removeFirst()
        } else {
            transforms = TransformChain()
        }
        let method = try SignatureShape.consume("DigestMethod", &parts, in: element)
        digestURI = try SignatureShape.algorithm(of: method)
        digest = try SignatureShape.octets(of: SignatureShape.consume("DigestValue", &parts, in: element))
        guard parts.isEmpty else { throw XMLFault(.invalid, "ds:Reference holds more than belongs there") }
    }

    /// The part of the document that it means; nil when it leads out of it.
    var pointer: Pointer? { uri.flatMap { Pointer($0, childrenOf: transforms.childrenOf) } }

    /// True if comments are signed when the canonicalisation keeps them: only an XPointer does not take them out (XML
    /// Signature 1.1 §4.4.3.3).
    var keepsComments: Bool { uri?.hasPrefix("#xpointer(") == true }

    /// Returns true if a same-document reference is by a plain name: xpointer could choose by content.
    static func isPlain(_ identifier: String) -> Bool {
        !identifier.isEmpty && identifier.utf8.count <= 512
            && identifier.unicodeScalars.allSatisfy {
                $0.value >= 0x80 || $0.properties.isAlphabetic || ("0"..."9").contains($0)
                    || "_-.:".unicodeScalars.contains($0)
            }
    }
}
