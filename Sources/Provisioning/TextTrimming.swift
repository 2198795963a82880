extension StringProtocol {
    /// The text without the characters at both ends that `isUnwanted` names: white space, unless another is given.
    func trimmed(_ isUnwanted: (Character) -> Bool = \.isWhitespace) -> String {
        guard let first = firstIndex(where: { !isUnwanted($0) }), let last = lastIndex(where: { !isUnwanted($0) })
        else { return "" }
        return String(self[first...last])
    }
}
