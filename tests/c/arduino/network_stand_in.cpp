/* The stand-in's network on a computer. Told by the environment:
 *   NVS_<key>      what the flash holds; what is put or cleared there is told on standard error
 *   MQTT_AFTER     the broker answers once so many sentences of the sketch are complete (default 0: at once)
 *   FORM_<name>    the form that is posted to the setup page, once (any of them: the page is asked for before)
 * What is published goes to standard output: "mqtt TOPIC QOS RETAIN HEX", and is acknowledged.
 */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "DNSServer.h"
#include "Preferences.h"
#include "WebServer.h"
#include "mqtt_client.h"

WiFiClass WiFi;

static std::string variable(const char *prefix, const char *name)
{
    const char *value = std::getenv((std::string(prefix) + name).c_str());
    return value == nullptr ? "" : value;
}

/* --- flash, Wi-Fi, page ---------------------------------------------------------------------- */

bool Preferences::begin(const char *, bool, const char *) { return true; }

void Preferences::end() {}

/* A file per key in NVS_FOLDER, so that a sketch that starts again finds what it kept. */
static std::string kept(const char *key)
{
    const char *folder = std::getenv("NVS_FOLDER");
    return folder == nullptr ? "" : std::string(folder) + "/" + key;
}

size_t Preferences::putBytes(const char *key, const void *value, size_t length)
{
    std::FILE *file = kept(key).empty() ? nullptr : std::fopen(kept(key).c_str(), "wb");
    if (file == nullptr) {
        return 0;
    }
    const size_t written = std::fwrite(value, 1, length, file);
    std::fclose(file);
    return written;
}

size_t Preferences::getBytes(const char *key, void *value, size_t most)
{
    std::FILE *file = kept(key).empty() ? nullptr : std::fopen(kept(key).c_str(), "rb");
    if (file == nullptr) {
        return 0;
    }
    const size_t length = std::fread(value, 1, most, file);
    std::fclose(file);
    return length;
}

bool Preferences::clear()
{
    std::fprintf(stderr, "flash cleared\n");
    return true;
}

size_t Preferences::putString(const char *key, const char *value)
{
    std::fprintf(stderr, "flash %s=%s\n", key, value);
    return std::string(value).size();
}

size_t Preferences::getString(const char *key, char *value, size_t most)
{
    const std::string found = variable("NVS_", key);
    if (found.empty() || found.size() >= most) {
        return 0;
    }
    found.copy(value, found.size());
    value[found.size()] = '\0';
    return found.size() + 1;
}

bool WiFiClass::mode(wifi_mode_t mode)
{
    std::fprintf(stderr, "wifi mode %d\n", mode);
    return true;
}

wl_status_t WiFiClass::begin(const char *ssid, const char *, int32_t, const uint8_t *, bool)
{
    std::fprintf(stderr, "wifi %s\n", ssid);
    return WL_IDLE_STATUS;
}

bool WiFiClass::softAP(const char *ssid, const char *passphrase, int, int, int, bool)
{
    std::fprintf(stderr, "access point %s %s\n", ssid, passphrase);
    return true;
}

IPAddress WiFiClass::softAPIP() { return IPAddress(0x0104a8c0u); }
bool DNSServer::start(const uint16_t &, const String &, const IPAddress &) { return true; }

static WebServer::THandlerFunction shown, posted;

WebServer::WebServer(int) {}
void WebServer::begin() {}
void WebServer::on(const char *, HTTPMethod, THandlerFunction handler) { posted = handler; }
void WebServer::onNotFound(THandlerFunction handler) { shown = handler; }
String WebServer::arg(const String &name) { return String(variable("FORM_", name.c_str()).c_str()); }

void WebServer::send(int code, const char *kind, const char *content)
{
    std::printf("http %d %s %s\n", code, kind, content);
    std::fflush(stdout);
}

void WebServer::handleClient()
{
    static int turn = 0;
    turn++;
    if (turn == 1) {
        shown();
    } else if (turn == 2) {
        posted();
    } else {
        std::_Exit(0);
    }
}

/* --- MQTT ------------------------------------------------------------------------------------ */

struct esp_mqtt_client {
    std::mutex lock;
    esp_event_handler_t handler;
    int next, out_size;
    bool online;
    std::vector<int> unacknowledged;
};

static void tell(esp_mqtt_client *client, esp_mqtt_event_id_t id, int message)
{
    esp_mqtt_event_t event = {};
    event.event_id = id;
    event.msg_id = message;
    client->handler(nullptr, "MQTT_EVENTS", id, &event);
}

esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config)
{
    std::fprintf(
        stderr, "mqtt %s %s %s will %s %s %d %d\n", config->broker.address.uri, config->credentials.username,
        config->credentials.authentication.password, config->session.last_will.topic, config->session.last_will.msg,
        config->session.last_will.qos, config->session.last_will.retain
    );
    esp_mqtt_client *client = new esp_mqtt_client;
    client->next = 1;
    client->out_size = config->buffer.out_size;
    client->online = false;
    return client;
}

esp_err_t esp_mqtt_client_register_event(
    esp_mqtt_client_handle_t client, esp_mqtt_event_id_t, esp_event_handler_t handler, void *
)
{
    client->handler = handler;
    return 0;
}

unsigned long sentences_taken(); /* stand_in.cpp: items that left the sketch's second queue */

esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t client)
{
    const std::string after = variable("MQTT_AFTER", "");
    const unsigned long wanted = after.empty() ? 0 : std::strtoul(after.c_str(), nullptr, 10);
    std::thread([client, wanted] {
        while (sentences_taken() < wanted) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        tell(client, MQTT_EVENT_CONNECTED, 0);
        for (;;) { /* acknowledgements come from MQTT's own task */
            std::vector<int> numbers;
            {
                const std::lock_guard<std::mutex> hold(client->lock);
                numbers.swap(client->unacknowledged);
            }
            for (const int number : numbers) {
                tell(client, MQTT_EVENT_PUBLISHED, number);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }).detach();
    return 0;
}

int esp_mqtt_client_enqueue(
    esp_mqtt_client_handle_t client, const char *topic, const char *data, int len, int qos, int retain, bool
)
{
    const std::string payload = len > 0 ? std::string(data, static_cast<size_t>(len)) : std::string(data);
    std::string hex;
    for (const char byte : payload) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
        hex += two;
    }
    if (5 + 2 + std::string(topic).size() + 2 + payload.size() > static_cast<size_t>(client->out_size)) {
        std::fprintf(stderr, "a message larger than the client's buffer\n"); /* the real one sends it in pieces */
        std::abort();
    }
    const std::lock_guard<std::mutex> hold(client->lock);
    std::printf("mqtt %s %d %d %s\n", topic, qos, retain, hex.c_str());
    std::fflush(stdout);
    client->unacknowledged.push_back(client->next);
    return client->next++;
}
