/*
 * Hears a voice through an I2S or PDM microphone and tells a central service which emotion it expresses: one message
 * per sentence, over MQTT with TLS. No sound leaves the board. `python -m central` is the other end.
 * For chips of the ESP32 family that have Wi-Fi, with Arduino-ESP32 core 3.1 or newer; wired as for the sketch
 * Microphone. Over the air it cannot be updated: that would need a second partition for the program, and a key to trust.
 *
 * Nothing is compiled in: at its first start, and after its BOOT button was held for three seconds, the board opens
 * a Wi-Fi of its own, whose name and password it prints, with one page that asks for
 *
 *     the house's Wi-Fi and its password
 *     what `python -m central device NAME --place PLACE` said: name, password, broker, the authority's certificate
 *
 * and keeps them in its flash, which is not encrypted. Sentences that nobody can be told wait, SER_OUTBOX_PLACES of
 * them; then the oldest goes, and is counted. Each has a number: the service counts what never came.
 */
#include "Board.h" /* pins and button are chosen there */

#if !SOC_WIFI_SUPPORTED
#error "This chip has no Wi-Fi of its own; the sketch Microphone works without."
#endif

#include <Preferences.h>
#include <DNSServer.h>
#include <WebServer.h>
#include <WiFi.h>
#include <mqtt_client.h>
#include <ser_line.h>
#include <ser_message.h>
#include <ser_outbox.h>

#include "Hearing.h"

/* ---- to choose; each may also be a -D of the build ---- */

#ifndef SEND_FEATURES
#define SEND_FEATURES 0 /* 1: the model's columns, too, for a central model: 2 bytes each, 1 KB at most */
#endif
#ifndef IN_FLIGHT
#define IN_FLIGHT 8 /* sentences on their way to the broker at once */
#endif

/* ---- */

#if SER_LABELS > SER_MESSAGE_LABELS_MOST
#error "This model has more labels than a message of 240 bytes has room for, which is 16: train it with fewer (--labels)."
#endif
#if SEND_FEATURES && SER_MODEL_COLUMNS > SER_MESSAGE_COLUMNS_MOST
#error "A message has room for fewer columns than this model has: -DSEND_FEATURES=0, or a model of fewer columns."
#endif

struct Settings {
    char ssid[33], wifi_password[65];
    char broker[97]; /* mqtts://192.168.1.2:8883 */
    char name[33], password[65];
    char authority[2049]; /* PEM */
};
struct Setting {
    const char *key, *title; /* key: in the flash and in the form */
    char *value;
    size_t size;
};
struct Spoken {
    ser_message_sentence sentence;
#if SEND_FEATURES
    uint8_t columns[SER_MESSAGE_COLUMNS_HEAD + 2 * SER_MODEL_COLUMNS];
#endif
};
enum EventKind { EVENT_ONLINE, EVENT_OFFLINE, EVENT_ACKNOWLEDGED };
struct Event {
    EventKind kind;
    int32_t message;
};

static Settings settings;
static const Setting form[] = {
    {"ssid", "Wi-Fi", settings.ssid, sizeof settings.ssid},
    {"wifi_password", "Wi-Fi password", settings.wifi_password, sizeof settings.wifi_password},
    {"broker", "Broker, such as mqtts://192.168.1.2:8883", settings.broker, sizeof settings.broker},
    {"name", "Name of this device", settings.name, sizeof settings.name},
    {"password", "Password of this device", settings.password, sizeof settings.password},
    {"authority", "Certificate of the authority (ca.pem)", settings.authority, sizeof settings.authority},
};

static Preferences flash;
static WebServer page(80);
static DNSServer names;
static bool setting_up;

static esp_mqtt_client_handle_t client;
static ser_outbox outbox; /* of the loop's task alone */
static bool online;
static int in_flight;
static uint32_t boot, seq; /* seq: of the recogniser's task alone */

/* From the recogniser's and from MQTT's task to the loop's. */
enum { SPOKEN_PLACES = 4, EVENT_PLACES = 32 };
static QueueHandle_t spoken_queue, event_queue;
static StaticQueue_t spoken_state, event_state;
static uint8_t spoken_storage[SPOKEN_PLACES * sizeof(Spoken)], event_storage[EVENT_PLACES * sizeof(Event)];

enum {
    ABOUT_SIZE = SER_MESSAGE_ABOUT_SIZE(SER_LABELS, SER_NAMES_BYTES), /* ends included */
    TEXT_SIZE = ABOUT_SIZE > SER_MESSAGE_SENTENCE_BYTES ? ABOUT_SIZE : SER_MESSAGE_SENTENCE_BYTES + 1,
    PACKET_SIZE = 80 + (TEXT_SIZE > SER_MESSAGE_COLUMNS_BYTES ? TEXT_SIZE : SER_MESSAGE_COLUMNS_BYTES) /* and a topic */
};
static char topic[64], text[TEXT_SIZE];

/* ---- what the recogniser's task tells ---- */

static const ser_profile *whose_voice()
{
    return nullptr; /* the central service is sent what every device hears alike */
}

static void heard(const ser_result *result, const Captured *last)
{
    static Spoken spoken;
    ser_message_sentence *sentence = &spoken.sentence;
    const float level = 10.0f * ser_listen_dbfs(listening.mean_power);

    sentence->boot = boot;
    sentence->seq = ++seq;
    sentence->end = static_cast<uint32_t>(millis()) - (static_cast<uint32_t>(micros()) - last->at_us) / 1000u;
    sentence->begin = sentence->end - static_cast<uint32_t>(1000.0f * result->seconds);
    sentence->labels = SER_LABELS;
    ser_message_shares(result->probabilities, SER_LABELS, sentence->shares);
    sentence->level = level < -1000.0f ? -1000 : level > 0.0f ? 0 : static_cast<int32_t>(level);
    sentence->speech = 1;
    sentence->model = SER_MODEL_NUMBER;
    sentence->schema = static_cast<uint32_t>(SER_SCHEMA_HASH >> 32);
#if SEND_FEATURES
    ser_message_write_columns(
        boot, seq, SER_MODEL_COLUMNS_NUMBER, SER_MODEL_COLUMNS, spoken.columns, sizeof spoken.columns
    );
    ser_model_write_steps(ser_features(&recognizer), spoken.columns);
#endif
    xQueueSend(spoken_queue, &spoken, 0); /* what finds no place is missed by its number */
}

static void silence(uint32_t) {}

static void trouble(const char *what)
{
    Serial.println(what);
}

/* ---- what MQTT's task tells ---- */

static void on_mqtt(void *, esp_event_base_t, int32_t id, void *data)
{
    const esp_mqtt_event_t *event = static_cast<esp_mqtt_event_t *>(data);
    Event told = {EVENT_OFFLINE, 0};
    switch (static_cast<esp_mqtt_event_id_t>(id)) {
    case MQTT_EVENT_CONNECTED:
        told.kind = EVENT_ONLINE;
        break;
    case MQTT_EVENT_DISCONNECTED:
        break;
    case MQTT_EVENT_PUBLISHED:
        told = {EVENT_ACKNOWLEDGED, event->msg_id};
        break;
    default:
        return;
    }
    xQueueSend(event_queue, &told, portMAX_DELAY);
}

/* ---- the loop's task ---- */

static const char *under(const char *what)
{
    ser_line line;
    ser_line_begin(&line, topic, sizeof topic);
    ser_line_text(&line, "emotion/");
    ser_line_text(&line, settings.name);
    ser_line_text(&line, "/");
    ser_line_text(&line, what);
    ser_line_end(&line);
    return topic;
}

/* Who this is, for whoever comes: retained. */
static void introduce()
{
    ser_message_about about;
    about.boot = boot;
    about.names = ser_label_names;
    about.labels = SER_LABELS;
    about.threshold = static_cast<uint32_t>(SER_MODEL_THRESHOLD * SER_MESSAGE_WHOLE + 0.5f);
    about.dropped = outbox.dropped;
    about.model = SER_MODEL_NUMBER;
    about.schema = static_cast<uint32_t>(SER_SCHEMA_HASH >> 32);
    about.columns = SEND_FEATURES ? SER_MODEL_COLUMNS_NUMBER : 0;
    const int size = static_cast<int>(ser_message_write_about(&about, text, sizeof text));
    esp_mqtt_client_enqueue(client, under("about"), text, size, 1, 1, true);
    esp_mqtt_client_enqueue(client, under("status"), "online", 0, 1, 1, true);
}

static void attend(const Event &event)
{
    switch (event.kind) {
    case EVENT_ONLINE:
        online = true;
        in_flight = 0;
        ser_outbox_again(&outbox); /* some may arrive twice; their numbers tell */
        introduce();
        break;
    case EVENT_OFFLINE:
        online = false;
        break;
    case EVENT_ACKNOWLEDGED:
        in_flight -= in_flight > 0;
        ser_outbox_acknowledged(&outbox, event.message);
        break;
    }
}

static void send()
{
    int place;
    while (online && in_flight < IN_FLIGHT && (place = ser_outbox_next(&outbox)) >= 0) {
        ser_message_sentence *sentence = ser_outbox_sentence(&outbox, place);
        sentence->now = static_cast<uint32_t>(millis());
        const int size = static_cast<int>(ser_message_write_sentence(sentence, text, sizeof text));
        const int message = esp_mqtt_client_enqueue(client, under("voice"), text, size, 1, 0, true);
        if (message < 0) {
            return; /* its own outbox is full; later */
        }
        ser_outbox_sent(&outbox, place, message);
        in_flight++;
    }
}

static void forget_when_asked()
{
    static unsigned long pressed_ms;
    if (!button_held()) {
        pressed_ms = 0;
        return;
    }
    if (pressed_ms == 0) {
        pressed_ms = millis();
    } else if (millis() - pressed_ms > 3000) {
        flash.clear();
        ESP.restart();
    }
}

/* ---- setting up ---- */

static void show_form()
{
    static char html[2048];
    ser_line line;
    ser_line_begin(&line, html, sizeof html);
    ser_line_text(&line, "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=width=device-width>"
                         "<title>Speech emotion</title><style>body{font:1rem sans-serif;max-width:30rem;margin:1rem auto;"
                         "padding:0 1rem}label{display:block;margin:.8rem 0}input,textarea{display:block;width:100%;font:inherit}"
                         "</style><h1>Speech emotion</h1><form method=post action=/save>");
    for (const Setting &each : form) {
        const bool secret = strstr(each.key, "password") != nullptr;
        ser_line_text(&line, "<label>");
        ser_line_text(&line, each.title);
        ser_line_text(&line, each.size > 1000 ? "<textarea rows=8 name=" : "<input name=");
        ser_line_text(&line, each.key);
        ser_line_text(&line, each.size > 1000 ? "></textarea></label>" : secret ? " type=password></label>" : "></label>");
    }
    ser_line_text(&line, "<button>Keep</button></form>");
    ser_line_end(&line);
    page.send(200, "text/html", html);
}

static void keep_form()
{
    for (const Setting &each : form) {
        const String value = page.arg(each.key);
        if (value.length() >= each.size || (value.length() == 0 && strcmp(each.key, "wifi_password") != 0)) {
            page.send(400, "text/plain", "Something is missing or too long. Nothing was kept; go back.");
            return;
        }
    }
    if (strncmp(page.arg("broker").c_str(), "mqtts://", 8) != 0) {
        page.send(400, "text/plain", "The broker's address begins with mqtts://. Nothing was kept; go back.");
        return;
    }
    for (const Setting &each : form) {
        flash.putString(each.key, page.arg(each.key).c_str());
    }
    page.send(200, "text/plain", "Kept. The board starts again and goes into the house's Wi-Fi.");
    delay(1000);
    ESP.restart();
}

static bool load()
{
    bool complete = true;
    for (const Setting &each : form) {
        each.value[0] = '\0';
        flash.getString(each.key, each.value, each.size);
        complete = complete && (each.value[0] != '\0' || strcmp(each.key, "wifi_password") == 0);
    }
    return complete;
}

static void offer_page()
{
    char ssid[] = "speech-0000", password[] = "0000000000";
    uint32_t number = esp_random();
    for (char *digit = ssid + 7; *digit != '\0'; digit++, number /= 10u) {
        *digit = static_cast<char>('0' + static_cast<char>(number % 10u));
    }
    for (char *digit = password; *digit != '\0'; digit++) {
        *digit = static_cast<char>('0' + static_cast<char>(esp_random() % 10u));
    }
    setting_up = true;
    WiFi.mode(WIFI_AP);
    WiFi.softAP(ssid, password);
    names.start(53, "*", WiFi.softAPIP());
    page.on("/save", HTTP_POST, keep_form);
    page.onNotFound(show_form); /* whatever a telephone asks to find out where it is */
    page.begin();
    ser_line line;
    ser_line_begin(&line, text, sizeof text);
    ser_line_text(&line, "{\"setup\": \"http://192.168.4.1/\", \"wifi\": ");
    ser_line_quoted(&line, ssid);
    ser_line_text(&line, ", \"password\": ");
    ser_line_quoted(&line, password);
    ser_line_text(&line, "}");
    ser_line_end(&line);
    Serial.println(text);
}

void setup()
{
    Serial.begin(115200);
    start_button();
    flash.begin("speech");
    if (!load()) {
        offer_page();
        return;
    }
    boot = esp_random();
    ser_outbox_init(&outbox);
    spoken_queue = xQueueCreateStatic(SPOKEN_PLACES, sizeof(Spoken), spoken_storage, &spoken_state);
    event_queue = xQueueCreateStatic(EVENT_PLACES, sizeof(Event), event_storage, &event_state);
    start_hearing();
    WiFi.mode(WIFI_STA);
    WiFi.begin(settings.ssid, settings.wifi_password);

    static char status[64];
    strcpy(status, under("status"));
    esp_mqtt_client_config_t config = {};
    config.broker.address.uri = settings.broker;
    config.broker.verification.certificate = settings.authority;
    config.credentials.username = settings.name;
    config.credentials.client_id = settings.name;
    config.credentials.authentication.password = settings.password;
    config.session.last_will.topic = status;
    config.session.last_will.msg = "offline";
    config.session.last_will.qos = 1;
    config.session.last_will.retain = 1;
    config.session.keepalive = 30;
    config.network.reconnect_timeout_ms = 5000;
    config.buffer.size = 1024; /* its own default */
    config.buffer.out_size = PACKET_SIZE; /* or the longest would go in pieces */
    client = esp_mqtt_client_init(&config);
    esp_mqtt_client_register_event(client, MQTT_EVENT_ANY, on_mqtt, nullptr);
    esp_mqtt_client_start(client); /* and it goes on trying */
}

void loop()
{
    forget_when_asked();
    if (setting_up) {
        page.handleClient();
        delay(2);
        return;
    }
    Event event;
    if (xQueueReceive(event_queue, &event, pdMS_TO_TICKS(20)) == pdTRUE) {
        attend(event);
    }
    static Spoken spoken;
    while (xQueueReceive(spoken_queue, &spoken, 0) == pdTRUE) {
#if SEND_FEATURES
        if (online) { /* the columns of a sentence that waits are not kept */
            esp_mqtt_client_enqueue(
                client, under("features"), reinterpret_cast<char *>(spoken.columns), sizeof spoken.columns, 1, 0, true
            );
        }
#endif
        ser_outbox_put(&outbox, &spoken.sentence);
    }
    send();
}
