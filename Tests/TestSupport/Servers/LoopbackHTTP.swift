import Glibc

/// One HTTP exchange with a server on the loopback, waited for by the calling thread.
public enum LoopbackHTTP {
    /// - Parameters:
    ///   - address: `http://127.0.0.1:PORT/PATH`.
    ///   - body: nil: a GET.
    /// - Returns: The body of an answer with status 200.
    public static func exchange(
        _ address: String, body: [UInt8]? = nil, type: String = ""
    ) throws(HarnessError) -> [UInt8] {
        let rest = address.drop { $0 != ":" }.dropFirst(3)
        let host = rest.prefix { $0 != "/" }
        guard address.hasPrefix("http://127.0.0.1:"), let port = host.split(separator: ":").last.flatMap({ UInt16($0) })
        else { throw HarnessError("not on the loopback: \(address)") }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw HarnessError("socket: \(errno)") }
        defer { close(descriptor) }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        target.sin_port = port.bigEndian
        let status = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw HarnessError("nobody listens at \(address)") }
        let head =
            "\(body == nil ? "GET" : "POST") \(rest.drop { $0 != "/" }) HTTP/1.0\r\nHost: \(host)\r\n"
            + (body.map { "Content-Type: \(type)\r\nContent-Length: \($0.count)\r\n" } ?? "") + "\r\n"
        let request = Array(head.utf8) + (body ?? [])
        var sent = 0
        while sent < request.count {
            let count = request[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw HarnessError("\(address) does not take the request") }
            sent += count
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        let text = String(decoding: answer.prefix(32), as: UTF8.self)
        guard text.hasPrefix("HTTP/1.0 200") || text.hasPrefix("HTTP/1.1 200"),
            let end = answer.firstRange(of: Array("\r\n\r\n".utf8))
        else { throw HarnessError("\(address) answers \(text.prefix { $0 != "\r\n" && $0 != "\n" })") }
        return Array(answer[end.upperBound...])
    }
}
