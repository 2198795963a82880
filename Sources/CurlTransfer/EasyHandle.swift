import CCurl
import Glibc
import HostProcess
import Octets

/// Owns one libcurl easy handle and the lists that it points to.
final class EasyHandle {
    let raw: OpaquePointer
    private var fieldList: UnsafeMutablePointer<curl_slist>?
    private var resolveList: UnsafeMutablePointer<curl_slist>?
    /// libcurl writes its words about a failure here; it must outlive the handle.
    private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    /// The errno with which a socket was refused for want of descriptors or memory; 0 if none was.
    private let refusedSocket = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

    init() throws(TransferError) {
        try CurlLibrary.prepare()
        guard let raw = ccurl_easy_init() else {
            words.deallocate()
            refusedSocket.deallocate()
            throw TransferError(.machine(errno: Descriptors.shortage() ?? ENOMEM), "no memory for a transfer")
        }
        self.raw = raw
        words[0] = 0
        refusedSocket.pointee = 0
        try check(ccurl_set_buffer(raw, CURLOPT_ERRORBUFFER, words))
        try check(ccurl_set_socket_callback(raw, EasyHandle.openSocket, refusedSocket))
    }

    deinit {
        ccurl_easy_cleanup(raw)
        ccurl_slist_free_all(fieldList)
        ccurl_slist_free_all(resolveList)
        words.deallocate()
        refusedSocket.deallocate()
    }

    /// Makes the sockets as libcurl does, because libcurl does not tell why it could not.
    private static let openSocket: ccurl_socket_callback = { context, _, address in
        guard let address else { return -1 }
        let made = socket(
            address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
        let number = errno
        if made < 0, Descriptors.shortages.contains(number) {
            context?.assumingMemoryBound(to: Int32.self).pointee = number
        }
        return made
    }

    /// Returns the errno of the fault of this machine behind a failed transfer; nil if it was none.
    ///
    /// What else libcurl and the libraries below it do with descriptors, such as looking up a name or reading
    /// certificates, fails without an errno. Then it is asked if there are any.
    func machineFault(behind code: CURLcode) -> Int32? {
        if refusedSocket.pointee != 0 { return refusedSocket.pointee }
        switch code {
        case CURLE_OUT_OF_MEMORY: return Descriptors.shortage() ?? ENOMEM
        case CURLE_FAILED_INIT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CRL_BADFILE, CURLE_SSL_CONNECT_ERROR,
            CURLE_SSL_ISSUER_ERROR, CURLE_INTERFACE_FAILED, CURLE_SSL_ENGINE_INITFAILED:
            return Descriptors.shortage()
        default: return nil
        }
    }

    var errorWords: String { String(cString: words) }

    func set(_ option: CURLoption, _ value: Int) throws(TransferError) {
        try check(ccurl_set_long(raw, option, value))
    }

    func setOffset(_ option: CURLoption, _ value: Int) throws(TransferError) {
        try check(ccurl_set_offset(raw, option, curl_off_t(value)))
    }

    func set(_ option: CURLoption, _ value: String?) throws(TransferError) {
        guard let value else { return try check(ccurl_set_string(raw, option, nil)) }
        guard !value.utf8.contains(0) else { throw TransferError(.internal, "a setting has a NUL in it") }
        try check(ccurl_set_string(raw, option, value))
    }

    func set(_ option: CURLoption, octets: [UInt8]) throws(TransferError) {
        let code = octets.withUnsafeBytes { ccurl_set_blob(raw, option, $0.baseAddress, $0.count) }
        try check(code)
    }

    /// Sets the whole body of a POST, whose size was set before; it is copied.
    func setBody(_ octets: OctetString) throws(TransferError) {
        let code = octets.withUnsafeBytes { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                ccurl_set_string(raw, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
            }
        }
        try check(code)
    }

    /// Sets the request's header fields; a line that ends with a colon keeps libcurl from sending that field.
    func setFields(_ lines: [String]) throws(TransferError) {
        for line in lines {
            guard let longer = ccurl_slist_append(fieldList, line) else {
                throw TransferError(.internal, "no memory for header fields")
            }
            fieldList = longer
        }
        try check(ccurl_set_list(raw, CURLOPT_HTTPHEADER, fieldList))
    }

    /// Has libcurl find `address` for `host` at `port` without asking anybody.
    func setAddress(_ address: String, of host: String, port: Int) throws(TransferError) {
        guard let list = ccurl_slist_append(resolveList, "\(host):\(port):\(address)") else {
            throw TransferError(.internal, "no memory for an address")
        }
        resolveList = list
        try check(ccurl_set_list(raw, CURLOPT_RESOLVE, list))
    }

    func setProgressCallback(
        _ callback: ccurl_progress_callback, _ context: UnsafeMutableRawPointer
    ) throws(TransferError) {
        try check(ccurl_set_progress_callback(raw, callback, context))
    }

    func setDebugCallback(
        _ callback: ccurl_debug_callback, _ context: UnsafeMutableRawPointer
    ) throws(TransferError) {
        try check(ccurl_set_debug_callback(raw, callback, context))
    }

    func setCallback(
        _ function: CURLoption, _ callback: ccurl_transfer_callback, _ data: CURLoption,
        _ context: UnsafeMutableRawPointer
    ) throws(TransferError) {
        try check(ccurl_set_transfer_callback(raw, function, callback, data, context))
    }

    func setSeekCallback(
        _ callback: ccurl_seek_callback, _ context: UnsafeMutableRawPointer
    ) throws(TransferError) {
        try check(ccurl_set_seek_callback(raw, callback, context))
    }

    func number(_ info: CURLINFO) -> Int {
        var value = 0
        return ccurl_get_long(raw, info, &value) == CURLE_OK ? value : 0
    }

    /// Returns true if a time that libcurl records (in microseconds) was reached.
    func hasReached(_ time: CURLINFO) -> Bool {
        var value: curl_off_t = 0
        return ccurl_get_offset(raw, time, &value) == CURLE_OK && value > 0
    }

    func text(_ info: CURLINFO) -> String? {
        var value: UnsafePointer<CChar>?
        guard ccurl_get_string(raw, info, &value) == CURLE_OK, let value else { return nil }
        return String(cString: value)
    }

    /// The socket of a connection that was made to be used by hand.
    func activeSocket() throws(TransferError) -> Int32 {
        var socket: curl_socket_t = -1
        try check(ccurl_get_socket(raw, &socket))
        guard socket >= 0 else { throw TransferError(.connection, "the connection has no socket any more") }
        return socket
    }

    private func check(_ code: CURLcode) throws(TransferError) {
        guard code == CURLE_OK else { throw TransferError(code: code, words: "") }
    }
}
