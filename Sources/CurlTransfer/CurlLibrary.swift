import CCurl

/// The library as a whole, which is made ready once in a process, before any handle.
enum CurlLibrary {
    private static let readiness: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    static func prepare() throws(TransferError) {
        guard readiness == CURLE_OK else { throw TransferError(code: readiness, words: "") }
    }
}
