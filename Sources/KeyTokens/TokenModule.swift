import CPKCS11
import Synchronization

/// A PKCS #11 module: the library of a device, once for the process.
final class TokenModule: @unchecked Sendable {
    // Unchecked: the table of functions never changes, and a module locks for itself (CKF_OS_LOCKING_OK).
    let functions: UnsafeMutablePointer<CK_FUNCTION_LIST>
    let path: String

    private struct Use {
        /// Calls in the module now.
        var calls = 0
        var isResetting = false
        /// False until the module was initialised, and after that failed: its device may be away.
        var isStarted = false
        /// Counts the times it was made anew. Handles of before mean nothing, or something else.
        var generation = 0
    }
    private let use = Mutex(Use())
    private static let known = Mutex<[String: TokenModule]>([:])

    private init(_ functions: UnsafeMutablePointer<CK_FUNCTION_LIST>, _ path: String) {
        self.functions = functions
        self.path = path
    }

    static func at(_ path: String) throws(TokenError) -> TokenModule {
        let result = known.withLock { known -> Result<TokenModule, TokenError> in
            if let module = known[path] { return .success(module) }
            guard let functions = cpkcs11_load(path) else {
                let words = p11_kit_message().map { String(cString: $0) } ?? "no reason given"
                return .failure(TokenError(.address, "the PKCS #11 module \(path) cannot be loaded: \(words)"))
            }
            let module = TokenModule(functions, path)
            known[path] = module
            return .success(module)
        }
        return try result.get()
    }

    /// Notes a call for as long as `body` runs; `generation` is the module's then. Starts the module if it does not
    /// run.
    /// - Throws: ``TokenError/Kind/unavailable`` if it does not start, or the error of `body`.
    func calling<Value>(
        _ body: (_ generation: Int) throws(TokenError) -> Value
    ) throws(TokenError) -> Value {
        let admission = use.withLock { use -> Result<Int, TokenError> in
            guard !use.isResetting else {
                return .failure(TokenError(.unavailable, "\(path) is being started again"))
            }
            if !use.isStarted {
                let code = cpkcs11_initialize(functions)
                guard code == cpkcs11_ok else {
                    return .failure(
                        TokenError(.unavailable, "the PKCS #11 module \(path) does not start: \(Self.words(code))"))
                }
                use.isStarted = true
            }
            use.calls += 1
            return .success(use.generation)
        }
        let generation = try admission.get()
        defer { use.withLock { $0.calls -= 1 } }
        return try body(generation)
    }

    var generation: Int { use.withLock { $0.generation } }

    /// Starts the module again, so that it sees tokens that came since. Nothing happens while another call is in it.
    /// To be called within ``calling(_:)``.
    /// - Returns: The generation then; nil if it was not started again.
    func reset() -> Int? {
        let mayReset = use.withLock { use -> Bool in
            guard use.calls == 1, !use.isResetting else { return false }
            use.isResetting = true
            return true
        }
        guard mayReset else { return nil }
        _ = cpkcs11_finalize(functions)
        let code = cpkcs11_initialize(functions)
        return use.withLock { use in
            use.isResetting = false
            use.generation += 1
            use.isStarted = code == cpkcs11_ok
            return code == cpkcs11_ok ? use.generation : nil
        }
    }

    static func words(_ code: CK_RV) -> String {
        let words = p11_kit_strerror(code).map { String(cString: $0) } ?? "unknown"
        return "\(words) (0x" + String(code, radix: 16) + ")"
    }
}
