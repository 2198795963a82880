public import Octets

/// A document with room for its signature: what is to be signed, and then the whole.
public struct PreparedPDFSignature: Sendable {
    /// The octets before and behind the signature's place; the CMS is made over these, detached.
    public let covered: OctetRope
    /// Of the field that is signed.
    public let fieldName: String
    private let document: OctetString
    /// The update from its beginning to before the signature's place, and from behind it.
    private let before: OctetString
    private let after: OctetString
    private let room: Int

    /// - Parameters:
    ///   - place: The place of the digits of /Contents in `update`, with their brackets.
    init(document: OctetString, update: [UInt8], place: Range<Int>, fieldName: String) {
        self.document = document
        self.fieldName = fieldName
        before = OctetString(update[..<place.lowerBound])
        after = OctetString(update[place.upperBound...])
        room = (place.count - 2) / 2
        covered = OctetRope([document, before, after])
    }

    /// The signed document. Its first piece is the original one, untouched and not copied.
    /// - Parameter cms: A SignedData over ``covered``, DER.
    /// - Throws: ``PDFError`` of kind `room` when it is larger than what was reserved.
    public func finish(cms: OctetString) throws(PDFError) -> OctetRope {
        guard cms.count <= room else {
            throw PDFError(.room, "the signature has \(cms.count) octets, and \(room) were reserved for it")
        }
        let padding = [UInt8](repeating: 0, count: room - cms.count)
        let contents = OctetString(PDFSyntax.hexadecimalString(cms.array + padding))
        return OctetRope([document, before, contents, after])
    }
}
