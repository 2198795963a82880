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
    /// - Returns: Whether all was written; false when the sink did not want more.
    func write(
        _ document: ParsedDocument, _ selection: NodeSelection, to sink: @escaping (UnsafeRawBufferPointer) -> Bool
    ) throws(XMLSignatureError) -> Bool {
        let output = CanonicalOutput(sink)
        let walk = SelectionWalk(selection)
        let failure: XMLSignatureError? = LibraryWords.collecting { words in
            let write: xmlOutputWriteCallback = { raw, octets, count in
                guard let raw, let octets, count > 0 else { return 0 }
                let output = Unmanaged<CanonicalOutput>.fromOpaque(raw).takeUnretainedValue()
                return output.take(UnsafeRawBufferPointer(start: octets, count: Int(count))) ? count : -1
            }
            let isVisible: xmlC14NIsVisibleCallback = { raw, node, parent in
                guard let raw, let node else { return 0 }
                return Unmanaged<SelectionWalk>.fromOpaque(raw).takeUnretainedValue().takes(node, parent) ? 1 : 0
            }
            guard
                let buffer = xmlOutputBufferCreateIO(write, nil, Unmanaged.passUnretained(output).toOpaque(), nil)
            else { return XMLSignatureError(.failed, "no memory to canonicalise") }
            let done = withPrefixes { prefixes in
                xmlC14NExecute(
                    document.raw, isVisible, Unmanaged.passUnretained(walk).toOpaque(), mode, prefixes,
                    withComments ? 1 : 0, buffer)
            }
            // Flushes what is left.
            let closed = xmlOutputBufferClose(buffer)
            withExtendedLifetime((output, walk)) {}
            if output.wantsMore, done < 0 || closed < 0 {
                let reason = words.text.isEmpty ? "no reason given" : words.text
                return XMLSignatureError(.unsupported, "the document cannot be put into canonical form: \(reason)")
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

/// Which part of a document is meant.
enum NodeSelection {
    /// All, what stands around the root included.
    case document
    /// All but these elements.
    case documentWithout(Set<Node>)
    /// One element with what is in it.
    case element(Node)
    /// One element without these in it.
    case elementWithout(Node, Set<Node>)

    var excluded: Set<Node> {
        switch self {
        case .document, .element: []
        case .documentWithout(let excluded), .elementWithout(_, let excluded): excluded
        }
    }

    /// The element that everything must stand in; nil for the whole document.
    var apex: Node? {
        switch self {
        case .document, .documentWithout: nil
        case .element(let apex), .elementWithout(let apex, _): apex
        }
    }
}

/// Decides of each node whether it is selected; libxml2 asks in document order, so the last answer is often the next.
private final class SelectionWalk {
    private let apex: Node?
    private let excluded: Set<Node>
    private var lastElement: Node?
    private var lastAnswer = false

    init(_ selection: NodeSelection) {
        apex = selection.apex
        excluded = selection.excluded
    }

    func takes(_ node: Node, _ parent: Node?) -> Bool {
        if apex == nil && excluded.isEmpty { return true }
        if node.pointee.type == XML_ELEMENT_NODE { return takes(element: node) }
        // Attributes and namespace declarations are given with their element, all else with what it stands in.
        guard let parent, parent.pointee.type == XML_ELEMENT_NODE else { return apex == nil }
        return takes(element: parent)
    }

    private func takes(element: Node) -> Bool {
        if element == lastElement { return lastAnswer }
        var answer = apex == nil
        var next: Node? = element
        while let node = next, node.pointee.type == XML_ELEMENT_NODE {
            if excluded.contains(node) {
                answer = false
                break
            }
            if node == apex { answer = true }
            next = node.pointee.parent
        }
        lastElement = element
        lastAnswer = answer
        return answer
    }
}

private final class CanonicalOutput {
    private let sink: (UnsafeRawBufferPointer) -> Bool
    private(set) var wantsMore = true

    init(_ sink: @escaping (UnsafeRawBufferPointer) -> Bool) { self.sink = sink }

    func take(_ octets: UnsafeRawBufferPointer) -> Bool {
        if wantsMore { wantsMore = sink(octets) }
        return wantsMore
    }
}
