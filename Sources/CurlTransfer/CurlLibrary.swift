import CCurl

/// The library as a whole, which is loaded and made ready once in a process, before any handle.
enum CurlLibrary {
    private static let readiness: TransferError? = {
        if let words = ccurl_load() {
            return TransferError(.internal, "libcurl cannot be loaded: " + String(cString: words))
        }
        let code = ccurl_global_init(Int(CURL_GLOBAL_DEFAULT))
        return code == CURLE_OK ? nil : TransferError(code: code, words: "")
    }()

    static func prepare() throws(TransferError) {
        if let readiness { throw readiness }
    }
}
