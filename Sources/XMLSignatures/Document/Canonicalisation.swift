import CXmlSec
import Octets

/// A way to write XML as octets that are the same for the same information (Canonical XML 1.0 and 1.1, Exclusive XML
/// Canonicalization 1.0).
struct Canonicalisation: Hashable {
    enum Form: Hashable {
        case inclusive
        case inclusive11
        case exclusive
    }
    var form: Form
    var withComments = false
    /// The prefixes that the exclusive form treats like the inclusive one.
    var inclusivePrefixes: [String] = []

    static let inclusive = Canonicalisation(form: .inclusive)
    static let exclusive = Canonicalisation(form: .exclusive)

    static let inclusiveURI = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    static let exclusiveURI = Namespace.exclusive

    init(form: Form, withComments: Bool = false) {
        self.form = form
        self.withComments = withComments
    }

    /// The method that an algorithm name stands for.
    init?(uri: String) {
        switch uri {
        case Self.inclusiveURI: self.init(form: .inclusive)
        case Self.inclusiveURI + "#WithComments": self.init(form: .inclusive, withComments: true)
        case "http://www.w3.org/2006/12/xml-c14n11": self.init(form: .inclusive11)
        case "http://www.w3.org/2006/12/xml-c14n11#WithComments": self.init(form: .inclusive11, withComments: true)
        case Self.exclusiveURI: self.init(form: .exclusive)
        case Self.exclusiveURI + "WithComments": self.init(form: .exclusive, withComments: true)
        default: return nil
        }
    }

    /// Writes what `selection` takes of `document`, in pieces.
    /// - Parameter sink: Returns whether it wants to have more.
    /// - Returns: True if all was written; false if the sink stopped it.
    func write(
        _ document: ParsedDocument, _ selection: NodeSelection, to sink: @escaping (UnsafeRawBufferPointer) -> Bool
    ) throws(XMLSignatureError) -> Bool {
        let output = CanonicalOutput(sink)
        let excluded = selection.excluded.map { $0 as Node? }
        let failure: XMLSignatureError? = LibraryWords.collecting { words in
            let write: xmlOutputWriteCallback = { raw, octets, count in
                guard let raw, let octets, count > 0 else { return 0 }
                let output = Unmanaged<CanonicalOutput>.fromOpaque(raw).takeUnretainedValue()
                return output.write(UnsafeRawBufferPointer(start: octets, count: Int(count))) ? count : -1
            }
            guard
                let buffer = xmlOutputBufferCreateIO(write, nil, Unmanaged.passUnretained(output).toOpaque(), nil)
            else { return XMLSignatureError(.failed, "no memory to canonicalise") }
            let done = withPrefixes { prefixes in
                excluded.withUnsafeBufferPointer {
                    cxmlsec_canonicalise(
                        document.raw, selection.apex, selection.isContentOnly ? 1 : 0, $0.baseAddress,
                        Int32($0.count), mode, prefixes,
                        withComments ? 1 : 0, buffer)
                }
            }
            // Flushes what is left.
            let closed = xmlOutputBufferClose(buffer)
            withExtendedLifetime(output) {}
            if output.wantsMore, done < 0 || closed < 0 {
                return XMLSignatureError(.unsupported, Self.refusal(words))
            }
            return nil
        }
        if let failure { throw failure }
        return output.wantsMore
    }

    func octets(_ document: ParsedDocument, _ selection: NodeSelection) throws(XMLSignatureError) -> OctetString {
        var made: [UInt8] = []
        _ = try write(document, selection) { piece in
            made.append(contentsOf: piece.octets(0..<piece.count))
            return true
        }
        return OctetString(made)
    }

    private static func refusal(_ words: LibraryWords) -> String {
        if words.code == Int32(XML_C14N_RELATIVE_NAMESPACE.rawValue) {
            return "a namespace name is relative, which canonical XML forbids (Canonical XML 1.0 §2.1)"
        }
        return "the document cannot be put into canonical form: \(words.text.isEmpty ? "no reason given" : words.text)"
    }

    private var mode: Int32 {
        switch form {
        case .inclusive: Int32(XML_C14N_1_0.rawValue)
        case .inclusive11: Int32(XML_C14N_1_1.rawValue)
        case .exclusive: Int32(XML_C14N_EXCLUSIVE_1_0.rawValue)
        }
    }

    private func withPrefixes<Result>(
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<xmlChar>?>?) -> Result
    ) -> Result {
        guard form == .exclusive, !inclusivePrefixes.isEmpty else { return body(nil) }
        var copies: [UnsafeMutablePointer<xmlChar>?] = inclusivePrefixes.map { xmlStrdup($0) }
        copies.append(nil)
        defer { for copy in copies { cxmlsec_free(copy) } }
        return copies.withUnsafeMutableBufferPointer { body($0.baseAddress) }
    }
}

/// The part of a document that is selected.
enum NodeSelection {
    /// All, what stands around the root included.
    case document
    /// All but these elements.
    case documentWithout(Set<Node>)
    /// One element with what is in it.
    case element(Node)
    /// One element without these in it.
    case elementWithout(Node, Set<Node>)
    /// The content of one element, without its tags and without these nodes.
    case childrenOf(Node, Set<Node>)

    var excluded: Set<Node> {
        switch self {
        case .document, .element: []
        case .documentWithout(let excluded), .elementWithout(_, let excluded), .childrenOf(_, let excluded): excluded
        }
    }

    /// True if the tags of ``apex`` are left out.
    var isContentOnly: Bool { if case .childrenOf = self { true } else { false } }

    /// The element that contains everything selected; nil for the whole document.
    var apex: Node? {
        switch self {
        case .document, .documentWithout: nil
        case .element(let apex), .elementWithout(let apex, _), .childrenOf(let apex, _): apex
        }
    }
}

private final class CanonicalOutput {
    private let sink: (UnsafeRawBufferPointer) -> Bool
    private(set) var wantsMore = true

    init(_ sink: @escaping (UnsafeRawBufferPointer) -> Bool) { self.sink = sink }

    func write(_ octets: UnsafeRawBufferPointer) -> Bool {
        if wantsMore { wantsMore = sink(octets) }
        return wantsMore
    }
}
