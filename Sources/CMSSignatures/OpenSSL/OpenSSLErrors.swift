import COpenSSL

/// OpenSSL's queue of errors of this thread.
enum OpenSSLErrors {
    struct Entry {
        let library: Int32
        let reason: Int32
        let text: String

        /// True if it says that an algorithm is not available.
        var isUnsupported: Bool {
            let words = text.lowercased()
            return words.contains("unsupported") || words.contains("unknown digest") || words.contains("unknown cipher")
                || words.contains("fetch failed")
        }
    }

    /// Empties the queue before a call whose errors matter.
    static func clear() { ERR_clear_error() }

    /// Returns the errors in the queue, the oldest first, and empties it.
    static func drain() -> [Entry] {
        var entries: [Entry] = []
        while entries.count < 32 {
            let error = ERR_get_error()
            guard error != 0 else { break }
            let words = ERR_reason_error_string(error).map { String(cString: $0) } ?? "error \(error)"
            entries.append(
                Entry(library: copenssl_library(error), reason: copenssl_reason(error), text: words))
        }
        ERR_clear_error()
        return entries
    }

    /// The reasons as one text, for an error message.
    static func words() -> String {
        let reasons = drain().map(\.text)
        return reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
    }
}
