public import InternetMessage

/// File names that no other part of a message has, so that a person who saves all parts loses none.
public struct FreeFileNames: Sendable {
    private var taken: [ShownFileName]

    /// - Parameters:
    ///   - names: The names of attachments, as decoded; those of other parts are found here.
    ///   - charsets: For the names of parts.
    public init(of message: Message, _ names: [String], using charsets: some CharsetDecoding = BuiltInCharsets()) {
        // What S/MIME calls the layers of a mail no file may be called (RFC 8551 §3.2.1).
        taken = (["smime.p7m", "smime.p7s"] + names).map { ShownFileName($0) }
        for part in message.root.walk(.ownParts) { taken += part.shownFileNames(using: charsets) }
    }

    /// `name` and `ending`, with a number before the ending of `name` where that is taken; it is taken from now on.
    public mutating func reserve(_ name: String?, ending: String) -> String {
        let name = name ?? "attachment"
        var candidate = name + ending
        var number = 2
        while true {
            let shown = ShownFileName(candidate)
            // A name that shows nothing belongs to no part.
            if shown.readings.isEmpty || !taken.contains(where: shown.isTaken) {
                taken.append(shown)
                return candidate
            }
            let dot = name.lastIndex(of: ".").flatMap { $0 == name.startIndex ? nil : $0 } ?? name.endIndex
            candidate = "\(name[..<dot])-\(number)\(name[dot...])\(ending)"
            number += 1
        }
    }
}
