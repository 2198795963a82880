import CCurl
import Glibc
import Synchronization

/// The library as a whole, which is loaded and made ready once in a process, before any handle.
enum CurlLibrary {
    private static let isReady = Mutex(false)

    /// Loads the library if that was not done yet. A failure is not kept: there may be a descriptor the next time.
    /// - Throws: ``TransferError``, a fault of this machine, if the library is not there or cannot be used.
    static func prepare() throws(TransferError) {
        let failure = isReady.withLock { isReady -> TransferError? in
            guard !isReady else { return nil }
            if let words = ccurl_load() {
                return TransferError(
                    .machine(errno: ELIBACC),
                    "libcurl cannot be loaded: \(String(cString: words)); install it (the package libcurl4 of Debian)")
            }
            let code = ccurl_global_init(Int(CURL_GLOBAL_DEFAULT))
            guard code == CURLE_OK else { return TransferError(code: code, words: "") }
            isReady = true
            return nil
        }
        if let failure { throw failure }
    }
}
