import CXmlSec

/// xmlsec1 and libxml2, as processes share them.
enum SecurityLibrary {
    /// Makes both ready, once; every entrance of this module asks for it.
    ///
    /// Afterwards nothing global is changed any more, so any number of threads may work at once, each on documents and
    /// contexts of its own.
    static func makeReady() throws(XMLSignatureError) {
        guard isReady else {
            throw XMLSignatureError(.failed, "xmlsec1 cannot be initialised; is another version of it installed?")
        }
    }

    private static let isReady: Bool = {
        xmlInitParser()
        // Reasons are given in our own words; without this xmlsec1 writes its own to standard error.
        xmlSecErrorsSetCallback { _, _, _, _, _, _, _ in }
        guard xmlSecInit() == 0, xmlSecOpenSSLInit() == 0 else { return false }
        xmlSecErrorsSetCallback { _, _, _, _, _, _, _ in }
        // No address is ever opened, whatever a document asks for.
        xmlSecIOCleanupCallbacks()
        return true
    }()
}

/// The messages of libxml2 on this thread during a call; otherwise it would print them.
final class LibraryWords {
    private(set) var text = ""
    private(set) var code: Int32 = 0

    /// Calls `body` and collects what libxml2 has to say, the first complaint only.
    static func collecting<Result>(_ body: (LibraryWords) -> Result) -> Result {
        let words = LibraryWords()
        let callback: xmlStructuredErrorFunc = { raw, error in
            guard let raw, let error else { return }
            Unmanaged<LibraryWords>.fromOpaque(raw).takeUnretainedValue().note(error)
        }
        xmlSetStructuredErrorFunc(Unmanaged.passUnretained(words).toOpaque(), callback)
        defer {
            xmlSetStructuredErrorFunc(nil, nil)
            ERR_clear_error()
        }
        return withExtendedLifetime(words) { body(words) }
    }

    private func note(_ error: UnsafePointer<xmlError>) {
        let isError = error.pointee.level == XML_ERR_ERROR || error.pointee.level == XML_ERR_FATAL
        guard text.isEmpty, isError else { return }
        code = error.pointee.code
        text = error.pointee.message.map { OneLine.of(String(cString: $0)) } ?? "libxml2 error \(code)"
    }
}
