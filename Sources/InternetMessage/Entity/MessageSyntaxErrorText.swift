extension MessageSyntaxError: CustomStringConvertible {
    /// The fault, its place and the limit that was exceeded.
    public var description: String {
        switch kind {
        case .empty: "the message is empty"
        case .tooManyParts(let limit): "the message has more than \(limit) parts; the next begins at octet \(offset)"
        case .tooDeep(let limit): "the message is nested more than \(limit) deep at octet \(offset)"
        case .headerTooLarge(let limit): "the header that begins at octet \(offset) has more than \(limit) octets"
        }
    }
}
